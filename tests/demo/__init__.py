"""`make demo`: real mails walk through the SOP to their letters, with everything simulated around them."""
