// A token behind # never reaches a server's log. Fill it in, and take it out of the address and the history.
"use strict";
function enter() {
  const token = decodeURIComponent(location.hash.slice(1));
  if (!token) return;
  history.replaceState(null, "", location.pathname + location.search);
  document.querySelector("input[name=token]").value = token;
  document.querySelector("form.enter").requestSubmit();
}
addEventListener("hashchange", enter);
enter();
