"""One file per SOP activity, and what they share: ledger (`activity`), waits (`waits`), the letters' way out."""
