using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Edge.Outbox.Offers;
using Telemetry.Runtime.Settings;

namespace Telemetry.Agent.Configuration;

/// <summary>Reads section <c>outbox</c> of an agent's configuration, without its file.</summary>
internal static class OutboxSection
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1), Minute = TimeSpan.FromMinutes(1),
        Year = TimeSpan.FromDays(366);

    public static OutboxOptions Read(SettingsReader reader)
    {
        var or = new OutboxOptions();
        return or with
        {
            CommitDeadline = reader.Span("outbox.commitDeadline", or.CommitDeadline, TimeSpan.Zero, Minute),
            SegmentReadingsMax = reader.Number("outbox.segmentReadingsMax", or.SegmentReadingsMax, 1, 8192),
            SegmentBytesMax = (int)reader.Bytes("outbox.segmentBytesMax", or.SegmentBytesMax, 8 * 1024, 60 * 1024),
            QuotaBytes = reader.Bytes("outbox.quotaBytes", or.QuotaBytes, 1024 * 1024, 1L << 40),
            AllowedLateness = reader.Span("outbox.allowedLateness", or.AllowedLateness, TimeSpan.Zero, Year),
            IdleCommitInterval = reader.Span("outbox.idleCommitInterval", or.IdleCommitInterval, Second, 10 * Year),
            RequestsMax = reader.Number("outbox.requestsMax", or.RequestsMax, 1, 1024 * 1024),
            RequestsKept = reader.Span("outbox.requestsKept", or.RequestsKept, Minute, Year),
            RequestsFull = reader.Choice(
                "outbox.requestsFull",
                or.RequestsFull,
                [.. Enum.GetValues<RequestsFull>().Select(full => (CamelCase(full.ToString()), full))]),
            TestDropEvery = TestDropEvery(reader),
        };
    }

    private static string CamelCase(string name) => char.ToLowerInvariant(name[0]) + name[1..];

    private static int TestDropEvery(SettingsReader reader)
    {
        try
        {
            return TestDrops.FromEnvironment();
        }
        catch (FormatException e)
        {
            reader.Problem("environment", e.Message);
            return 0;
        }
    }
}
