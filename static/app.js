// What the pages need beyond htmx. Listeners stand on the document only, so that nothing
// has to be tied to elements that come and go.
import { start as startClock } from "./clock.js";
import { start as startContact } from "./contact.js";
import { start as startCopy } from "./copy.js";
import { start as startCount } from "./count.js";
import { start as startFlash } from "./flash.js";
import { start as startFreshness } from "./freshness.js";
import { start as startKeepPlace } from "./keep-place.js";
import { start as startKeys } from "./keys.js";
import { start as startNav } from "./nav.js";
import { start as startPolls } from "./polls.js";
import { start as startProvenance } from "./provenance.js";
import { start as startTheme } from "./theme.js";
import { start as startTimes } from "./times.js";
import { start as startVerdict } from "./verdict.js";

startClock();
startNav();
startPolls();
startContact();
startTimes();
startCount();
startFlash();
startFreshness();
startVerdict();
startTheme();
startKeepPlace();
startKeys();
startCopy();
startProvenance();
