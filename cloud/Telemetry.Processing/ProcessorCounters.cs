using System.Diagnostics.Metrics;
using Telemetry.Diagnostics.Metrics;
using Telemetry.Processing.Alerts.Evaluation;
using Telemetry.Processing.Partitions;
using Telemetry.Processing.Windows;
using Telemetry.Storage;

namespace Telemetry.Processing;

/// <summary>What a processor counted since it started; written by its thread, read by anyone.</summary>
public sealed class ProcessorCounters
{
    /// <summary>Readings stored.</summary>
    public long Stored { get; set; }

    /// <summary>Readings rejected.</summary>
    public long Rejected { get; set; }

    /// <summary>Readings declared dropped.</summary>
    public long Dropped { get; set; }

    /// <summary>Readings booked as lost.</summary>
    public long Lost { get; set; }

    /// <summary>Readings whose loss was taken back.</summary>
    public long Recovered { get; set; }

    /// <summary>Frames of a settled range that came again.</summary>
    public long Duplicates { get; set; }

    /// <summary>Forks of content.</summary>
    public long Forks { get; set; }

    /// <summary>Messages that could not be decoded.</summary>
    public long Malformed { get; set; }

    /// <summary>Frames and hellos of gateways whose row names another partition: neither stored nor answered.</summary>
    public long Refused { get; set; }

    /// <summary>Frames whose schema was not known.</summary>
    public long SchemasNeeded { get; set; }

    /// <summary>Schemas refused: beyond a limit of their gateway, or by the database.</summary>
    public long SchemasRefused { get; set; }

    /// <summary>Series that the database refused.</summary>
    public long SeriesRefused { get; set; }

    /// <summary>Transactions committed.</summary>
    public long Commits { get; set; }

    /// <summary>Transactions given up because a row was not as remembered.</summary>
    public long NotOwner { get; set; }

    /// <summary>Errors of database or log that were waited out.</summary>
    public long Errors { get; set; }

    /// <summary>
    /// Transactions that the database refused for their data, and that were tried again in another way.
    /// </summary>
    public long DataFaults { get; set; }

    /// <summary>Times a stream was read from its first message again.</summary>
    public long Rewinds { get; set; }

    /// <summary>Times a stream that ran short of bytes was purged up to the position.</summary>
    public long Purges { get; set; }

    /// <summary>Hellos answered.</summary>
    public long Answers { get; set; }

    /// <summary>What came of alert rules.</summary>
    public AlertCounters Alerts { get; } = new();

    /// <summary>What came of windows.</summary>
    public WindowCounters Windows { get; } = new();

    /// <summary>How far the streams of the owned partitions are behind, as the last look found it.</summary>
    public IReadOnlyList<StreamLagRow> Lags { get; set; } = [];

    /// <summary>Partitions owned now.</summary>
    public long Partitions { get; set; }

    /// <summary>Partitions that this worker asks for and nobody holds, as its last look found it.</summary>
    public long PartitionsOfNobody { get; set; }

    /// <summary>Sessions of frozen processes that were ended.</summary>
    public long HoldersEnded { get; set; }

    /// <summary>
    /// Makes the instruments of the processors of one process, summed up; docs/reference/metrics.md lists them.
    /// </summary>
    public static void Publish(Meter meter, IReadOnlyList<ProcessorCounters> processors)
    {
        meter.Counter(
            "telemetry.processor.readings", "{reading}", "Readings settled by this process, by outcome", "outcome",
            ("stored", () => Sum(c => c.Stored)), ("rejected", () => Sum(c => c.Rejected)),
            ("dropped", () => Sum(c => c.Dropped)), ("lost", () => Sum(c => c.Lost)),
            ("recovered", () => Sum(c => c.Recovered)));
        meter.Counter(
            "telemetry.processor.frames.odd", "{frame}", "Frames that settled nothing, by kind", "kind",
            ("duplicate", () => Sum(c => c.Duplicates)), ("fork", () => Sum(c => c.Forks)),
            ("malformed", () => Sum(c => c.Malformed)), ("schema_needed", () => Sum(c => c.SchemasNeeded)),
            ("schema_refused", () => Sum(c => c.SchemasRefused)), ("series_refused", () => Sum(c => c.SeriesRefused)));
        Counter("telemetry.processor.commits", "{transaction}", "Transactions committed", c => c.Commits);
        Counter(
            "telemetry.processor.not_owner", "{transaction}", "Transactions given up to another owner",
            c => c.NotOwner);
        Counter(
            "telemetry.processor.errors", "{error}", "Errors of database or log that were waited out", c => c.Errors);
        Counter(
            "telemetry.processor.data_faults", "{transaction}",
            "Transactions refused for their data, and tried in another way", c => c.DataFaults);
        Counter(
            "telemetry.processor.rewinds", "{rewind}", "Streams read from their first message again", c => c.Rewinds);
        Counter(
            "telemetry.processor.refused", "{message}", "Messages of gateways whose row names another partition",
            c => c.Refused);
        Counter("telemetry.processor.answers", "{answer}", "Hellos answered", c => c.Answers);
        meter.Gauge("telemetry.processor.partitions", "Partitions owned now", () => Sum(c => c.Partitions));
        meter.Gauge(
            "telemetry.processor.partitions.free", "Partitions that this process asks for and nobody owns",
            () => Sum(c => c.PartitionsOfNobody));
        Counter(
            "telemetry.processor.holders.ended", "{session}", "Database sessions of frozen processes that were ended",
            c => c.HoldersEnded);
        LagMetrics.Publish(meter, () => processors.SelectMany(p => p.Lags));
        AlertCounters.Publish(meter, [.. processors.Select(c => c.Alerts)]);
        WindowCounters.Publish(meter, [.. processors.Select(c => c.Windows)]);

        void Counter(string name, string unit, string description, Func<ProcessorCounters, long> count) =>
            meter.Counter(name, unit, description, () => Sum(count));

        long Sum(Func<ProcessorCounters, long> count) => processors.Sum(count);
    }
}
