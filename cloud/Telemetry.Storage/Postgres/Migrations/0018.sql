-- What people are told of: alerts that changed a short time ago, and those that became known late.
CREATE INDEX alert_changed ON telemetry.alert (changed_at);
CREATE INDEX alert_late ON telemetry.alert (published_at) WHERE late;
