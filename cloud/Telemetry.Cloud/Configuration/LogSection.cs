using Telemetry.Runtime.Settings;
using Telemetry.Streams.JetStream;

namespace Telemetry.Cloud.Configuration;

/// <summary>Reads section <c>log</c>.</summary>
internal static class LogSection
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1), Hour = TimeSpan.FromHours(1),
        Day = TimeSpan.FromDays(1);

    public static JetStreamFrameLogOptions Read(SettingsReader reader)
    {
        var or = new JetStreamFrameLogOptions();
        return or with
        {
            LiveBytesMax = reader.Bytes("log.liveBytesMax", or.LiveBytesMax, 1 << 20, 1L << 44),
            BacklogBytesMax = reader.Bytes("log.backlogBytesMax", or.BacklogBytesMax, 1 << 20, 1L << 44),
            MaxAge = reader.Span("log.maxAge", or.MaxAge, Hour, 3650 * Day),
            DuplicateWindow = reader.Span("log.duplicateWindow", or.DuplicateWindow, Second, Day),
            Replicas = reader.Number("log.replicas", or.Replicas, 1, 5),
            ReadAheadMessages = reader.Number("log.readAheadMessages", or.ReadAheadMessages, 1, 100_000),
            ReadAheadBytes = (int)reader.Bytes("log.readAheadBytes", or.ReadAheadBytes, 128 * 1024, 1 << 30),
        };
    }
}
