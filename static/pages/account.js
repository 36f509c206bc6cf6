/** Account. */

import { Frame } from '../views/frame.js';

new Frame({ title: 'placeAccount' });
