using Telemetry.Storage.Alerts;

namespace Telemetry.Processing.Alerts.Evaluation;

/// <summary>A transition for the alert outbox, with the row of its instance in the history.</summary>
internal sealed record AlertPublication(AlertTransition Transition, AlertRow Row);
