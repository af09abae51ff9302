// Everything works without this: it warns of typed text that would be lost, and says when a case has changed.
"use strict";

const typed = new Set();
for (const form of document.querySelectorAll("form[data-keep]")) {
  form.addEventListener("input", () => typed.add(form));
  form.addEventListener("submit", () => typed.delete(form));
}
addEventListener("beforeunload", (event) => { if (typed.size) event.preventDefault(); });

const news = document.getElementById("news");
if (news) {
  const source = new EventSource(news.dataset.news);
  source.addEventListener("news", (event) => {
    news.lastElementChild.textContent = event.data;
    news.hidden = false;
    source.close();
  });
}
const problem = document.getElementById("problem");
if (problem) {
  problem.tabIndex = -1;
  problem.focus();
}
