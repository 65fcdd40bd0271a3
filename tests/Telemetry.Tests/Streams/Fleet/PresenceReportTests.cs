using Telemetry.Model.Identity;
using Telemetry.Model.Wire;
using Telemetry.Streams.Fleet;

namespace Telemetry.Tests.Streams.Fleet;

public sealed class PresenceReportTests
{
    private static readonly PresenceReport Report = new("host/1-ab", ulong.MaxValue, 1_700_000_000_000_000,
    [
        new(GatewayId.Parse("gw-1"), true, 1_600_000_000_000_000, 7)
        {
            Version = "1.2.3-rc1", ClockOffsetMicros = -1_500_000, ClockSynchronised = true,
        },
        new(GatewayId.Parse("gw-2"), false, -5, long.MaxValue),
    ]);

    [Fact]
    public void Report_is_read_as_it_was_written()
    {
        var read = PresenceReport.Read(Report.ToBytes());

        Assert.Equal((Report.Ingress, Report.Run, Report.AtMicros), (read.Ingress, read.Run, read.AtMicros));
        Assert.Equal(Report.Gateways, read.Gateways);
    }

    [Fact]
    public void Report_that_is_cut_or_longer_is_refused_and_a_changed_byte_never_does_more()
    {
        var bytes = Report.ToBytes();
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.Throws<WireFormatException>(() => PresenceReport.Read(bytes.AsSpan(0, length)));
        }

        Assert.Throws<WireFormatException>(() => PresenceReport.Read([.. bytes, 0]));
        for (var i = 0; i < bytes.Length; i++)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                var damaged = bytes.ToArray();
                damaged[i] ^= (byte)(1 << bit);
                Assert.True(Record.Exception(() => PresenceReport.Read(damaged)) is null or WireFormatException);
            }
        }
    }
}
