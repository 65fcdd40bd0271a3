using System.Diagnostics.Metrics;
using Telemetry.Diagnostics.Metrics;

namespace Telemetry.Alerting.Relay;

/// <summary>What a relay counted since it started; written by its loop, read by anyone.</summary>
public sealed class RelayCounters
{
    /// <summary>Records committed.</summary>
    public long Published { get; set; }

    /// <summary>Rows whose id was in the topic already.</summary>
    public long Skipped { get; set; }

    /// <summary>Rows that left as they are because they could not be read.</summary>
    public long Unreadable { get; set; }

    /// <summary>Rows that had been removed before they were published.</summary>
    public long Gone { get; set; }

    /// <summary>Transactions committed.</summary>
    public long Transactions { get; set; }

    /// <summary>Transactions aborted.</summary>
    public long Aborted { get; set; }

    /// <summary>Times that a younger relay fenced this one.</summary>
    public long Fenced { get; set; }

    /// <summary>Errors of sink or database that were waited out.</summary>
    public long Errors { get; set; }

    /// <summary>Times that the database was found put back while this relay led.</summary>
    public long PutBacks { get; set; }

    /// <summary>Times that the topic was read back.</summary>
    public long ReadBacks { get; set; }

    /// <summary>Records found in the topic that the database lacked when the topic was last read back.</summary>
    public long Orphans { get; set; }

    /// <summary>1 while this relay publishes, 0 while it stands by or begins.</summary>
    public long Leading { get; set; }

    /// <summary>Rows that wait to be published, when the outbox was last looked at.</summary>
    public long Waiting { get; set; }

    /// <summary>Makes the instruments; docs/reference/metrics.md lists them.</summary>
    public void Publish(Meter meter)
    {
        meter.Counter(
            "telemetry.relay.alerts", "{alert}", "Rows of the alert outbox passed by this process, by outcome",
            "outcome",
            ("published", () => Published), ("skipped", () => Skipped), ("unreadable", () => Unreadable),
            ("gone", () => Gone));
        meter.Counter(
            "telemetry.relay.transactions", "{transaction}", "Transactions of Kafka, by outcome", "outcome",
            ("committed", () => Transactions), ("aborted", () => Aborted));
        meter.Counter(
            "telemetry.relay.fenced", "{fencing}", "Times that a younger relay fenced this one", () => Fenced);
        meter.Counter(
            "telemetry.relay.errors", "{error}", "Errors of Kafka or the database that were waited out", () => Errors);
        meter.Counter(
            "telemetry.relay.put_backs", "{put_back}", "Times that the database was found put back", () => PutBacks);
        meter.Counter(
            "telemetry.relay.read_backs", "{read_back}", "Times that the topic was read back", () => ReadBacks);
        meter.Gauge(
            "telemetry.relay.orphans", "Alerts in the topic that the database lacked at the last read-back",
            () => Orphans);
        meter.Gauge("telemetry.relay.waiting", "Alerts that wait to be published", () => Waiting);
        meter.Gauge("telemetry.relay.leading", "1 while this relay publishes", () => Leading);
    }
}
