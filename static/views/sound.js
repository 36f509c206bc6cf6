/** Short tones, made here, for whoever has turned them on. */

/**
 * @import { Settings } from './settings.js'
 */

const TONES = { second: 440, go: 880, finish: 660 };
const LENGTH_S = 0.12;
const LOUDNESS = 0.12;

export class Sound {
  /** @type {Settings} */
  #settings;
  /** @type {AudioContext|null} made at the first tone: until then nobody knows whether there will be one */
  #audio = null;

  /** @param {Settings} settings */
  constructor(settings) {
    this.#settings = settings;
  }

  /** @param {keyof typeof TONES} name */
  play(name) {
    if (this.#settings.get('sound') !== 'on') return;
    this.#audio ??= new AudioContext();
    void this.#audio.resume(); // browsers keep it quiet until a key was pressed
    const { currentTime, destination } = this.#audio;
    const tone = this.#audio.createOscillator();
    const volume = this.#audio.createGain();
    tone.frequency.value = TONES[name];
    volume.gain.setValueAtTime(LOUDNESS, currentTime);
    volume.gain.exponentialRampToValueAtTime(0.001, currentTime + LENGTH_S);
    tone.connect(volume).connect(destination);
    tone.start();
    tone.stop(currentTime + LENGTH_S);
  }
}
