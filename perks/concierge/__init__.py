"""The concierge: members ask, staff answer in working hours, and each request counts once against its allowance."""
