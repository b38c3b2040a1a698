"""The M2M client: `client.ApiClient`, one HTTP attempt per call, behind one `gate.Gate` per API key."""
