"""One module per system, the case store and the letters. Nothing connects at import; `wiring` chooses."""
