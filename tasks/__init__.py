"""One file per SOP activity, and what they share: the ledger (`activity`), the waits (`waits`), the letters' way out."""
