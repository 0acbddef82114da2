// One speaker's voice: the recordings that the service gets used to it by, and that it has.

import { byId, make } from "./dom.js";

/**
 * @param {{adapt: (files: File[]) => void, undo: () => void}} on
 * @returns {{
 *   allow: (can: boolean) => void,
 *   offer: (files: Iterable<File>) => void,
 *   isOpen: () => boolean,
 *   tell: (known: {recordings: number, until: Date} | null) => void,
 * }} `allow` shows that it can be done; `offer` adds to the recordings, `tell` says whose answers are given: null is anybody's
 */
export function offerVoice({ adapt, undo }) {
  const place = byId("voice");
  const button = byId("voice-adapt");
  const offered = []; // {file, box}
  let allowed = false;
  let isKnown = false;

  const chosen = () => offered.filter(({ box }) => box.checked).map(({ file }) => file);
  const update = () => {
    place.hidden = !allowed || isKnown;
    byId("voice-known").hidden = !isKnown;
    byId("voice-none").hidden = offered.length > 0;
    button.disabled = !chosen().length;
  };

  function offer(files) {
    for (const file of files) {
      if (offered.some((other) => isSame(other.file, file))) continue;
      const box = make("input", { type: "checkbox", checked: true, change: update });
      offered.push({ file, box });
      byId("voice-files").append(make("li", {}, make("label", {}, box, make("span", {}, file.name))));
    }
    update();
  }

  byId("voice-add").addEventListener("change", ({ target }) => {
    offer(target.files);
    target.value = "";
  });
  byId("voice-form").addEventListener("submit", (event) => {
    event.preventDefault();
    adapt(chosen());
  });
  byId("voice-undo").addEventListener("click", undo);
  return {
    offer,
    allow(can) {
      allowed = can;
      update();
    },
    isOpen: () => place.open && !place.hidden,
    tell(known) {
      isKnown = known !== null;
      if (known) {
        const count = known.recordings === 1 ? "one recording" : `${known.recordings} recordings`;
        const time = known.until.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
        byId("voice-told").textContent = `Used to one speaker’s voice, by ${count}, until ${time}.`;
      }
      update();
    },
  };
}

function isSame(one, other) {
  return one.name === other.name && one.size === other.size && one.lastModified === other.lastModified;
}
