"""One folder per channel; the same file names in each: adapter, normalize, render, config."""
