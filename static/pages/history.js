/** History. */

import { Frame } from '../views/frame.js';

new Frame({ title: 'placeHistory' });
