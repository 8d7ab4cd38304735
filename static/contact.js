// What the page knows of its server: one quiet banner says so when it does not answer.
import { pollOf } from "./polls.js";

let lastContact = new Date();

export const start = () => {
  const lost = document.getElementById("lost");
  document.addEventListener("htmx:after:request", (event) => {
    if (!event.detail?.ctx?.response?.status) return;
    lastContact = new Date();
    lost.hidden = true;
  });
  document.addEventListener("htmx:error", (event) => {
    if (!pollOf(event)) return;
    lost.textContent = `The dashboard's server does not answer. Last contact ${lastContact.toLocaleTimeString()}; the values below are from then. Trying again.`;
    lost.hidden = false;
  });
};
