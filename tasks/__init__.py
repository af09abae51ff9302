"""One file for each SOP activity and named step; `run/`, `intake/` and `upkeep/` have the rest."""
