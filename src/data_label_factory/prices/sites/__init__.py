"""Where prices come from: one file a site, one small class each."""
