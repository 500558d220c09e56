// Keeps the page at / up to date: asks the server for the same sections anew and puts in those that changed.
"use strict";
(() => {
  const main = document.querySelector("main[data-poll]");
  const pulse = document.querySelector(".pulse");
  const button = document.querySelector("button[data-pause]");
  const word = pulse.querySelector("[data-pulse]");
  let paused = false;

  const say = (text, lost) => {
    if (word.textContent !== text) word.textContent = text;
    pulse.classList.toggle("lost", lost);
  };

  const replace = (part, fresh) => {
    const known = new Set(Array.from(part.querySelectorAll("[data-key]"), (row) => row.dataset.key));
    const focused = part.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    for (const row of fresh.querySelectorAll("[data-key]")) {
      if (!known.has(row.dataset.key)) row.classList.add("new");
    }
    part.replaceChildren(...fresh.childNodes);
    if (focused) {
      const again = Array.from(part.querySelectorAll("a")).find((link) => link.getAttribute("href") === focused);
      if (again) again.focus({ preventScroll: true });
    }
  };

  const poll = async () => {
    if (!paused && !document.hidden) {
      try {
        const response = await fetch(main.dataset.poll, { headers: { accept: "text/html" } });
        if (!response.ok) throw new Error(String(response.status));
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        for (const part of main.querySelectorAll("[data-part]")) {
          const fresh = page.querySelector(`[data-part="${part.dataset.part}"]`);
          if (fresh && !paused && fresh.innerHTML !== part.innerHTML) replace(part, fresh);
        }
        say(pulse.dataset.live, false);
      } catch {
        say(pulse.dataset.lost, true);
      }
    }
    setTimeout(poll, 1500);
  };

  button.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    button.textContent = paused ? button.dataset.resume : button.dataset.pause;
    pulse.classList.toggle("paused", paused);
  });
  setTimeout(poll, 1500);
})();
