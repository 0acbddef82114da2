// Tabs, as the ARIA practices have them: arrows move between them, one is in the order of the Tab key.

/** @param {HTMLElement} list an element with role tablist */
export function makeTabs(list) {
  const tabs = [...list.querySelectorAll('[role="tab"]')];
  const show = (chosen) => {
    for (const tab of tabs) {
      const own = tab === chosen;
      tab.setAttribute("aria-selected", own);
      tab.tabIndex = own ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = !own;
    }
  };
  for (const tab of tabs) {
    const panel = tab.getAttribute("aria-controls");
    tab.addEventListener("click", () => {
      show(tab);
      history.replaceState(null, "", `#${panel}`);
    });
    if (location.hash === `#${panel}`) show(tab);
  }
  list.addEventListener("keydown", (event) => {
    const at = tabs.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const tab = tabs[(to + tabs.length) % tabs.length];
    tab.focus();
    tab.click();
  });
}
