using System.Diagnostics.Metrics;
using Telemetry.Diagnostics.Metrics;

namespace Telemetry.Alerting.Webhooks;

/// <summary>What was sent by webhooks since the start, of all of them together. Any thread.</summary>
public sealed class WebhookCounters
{
    private long _sent, _failed, _held, _givenUp, _gone, _unreadable;

    /// <summary>Events that were taken, summaries included.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    /// <summary>Attempts that failed.</summary>
    public long Failed => Interlocked.Read(ref _failed);

    /// <summary>Transitions that summaries told of.</summary>
    public long Held => Interlocked.Read(ref _held);

    /// <summary>Events that became dead letters.</summary>
    public long GivenUp => Interlocked.Read(ref _givenUp);

    /// <summary>Rows that were removed from the alert outbox before they were looked at.</summary>
    public long Gone => Interlocked.Read(ref _gone);

    /// <summary>Rows that could not be read.</summary>
    public long Unreadable => Interlocked.Read(ref _unreadable);

    internal void AddSent() => Interlocked.Increment(ref _sent);

    internal void AddFailed() => Interlocked.Increment(ref _failed);

    internal void AddHeld(long transitions) => Interlocked.Add(ref _held, transitions);

    internal void AddGivenUp(long events) => Interlocked.Add(ref _givenUp, events);

    internal void AddGone(long rows) => Interlocked.Add(ref _gone, rows);

    internal void AddUnreadable() => Interlocked.Increment(ref _unreadable);

    /// <summary>Makes the instruments; docs/reference/metrics.md lists them.</summary>
    public void Publish(Meter meter)
    {
        meter.Counter(
            "telemetry.webhook.events", "{event}", "Events of webhooks, by outcome", "outcome",
            ("sent", () => Sent), ("failed", () => Failed), ("given_up", () => GivenUp));
        meter.Counter(
            "telemetry.webhook.held", "{transition}", "Transitions that were told by a summary", () => Held);
        meter.Counter(
            "telemetry.webhook.skipped", "{row}", "Rows of the alert outbox that no webhook could send, by cause",
            "cause", ("gone", () => Gone), ("unreadable", () => Unreadable));
    }
}
