// What the pages need beyond htmx. Listeners stand on the document only, so that nothing
// has to be tied to elements that come and go.
import { start as startClock } from "./clock.js";
import { start as startContact } from "./contact.js";
import { start as startPolls } from "./polls.js";
import { start as startTimes } from "./times.js";

startClock();
startPolls();
startContact();
startTimes();
