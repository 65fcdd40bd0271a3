using Telemetry.Model.Identity;
using Telemetry.Model.Wire;
using Telemetry.Streams.Fleet;

namespace Telemetry.Tests.Streams.Fleet;

public sealed class PartitionChangesTests
{
    private static readonly PartitionChanges Changes = new(3, 41, 43, 1_700_000_000_000_000,
    [
        new(GatewayId.Parse("gw-1"), long.MaxValue, 5, 4, 3, 2, 1_600_000_000_000_000, "") { AlertsChanged = true },
        new(GatewayId.Parse("gw-2"), 0, 0, 0, 0, 0, long.MinValue, "lineage: two epochs"),
    ]);

    [Fact]
    public void Changes_are_read_as_they_were_written()
    {
        var read = PartitionChanges.Read(Bytes(Changes));

        Assert.Equal(
            (Changes.Partition, Changes.From, Changes.To, Changes.AtMicros),
            (read.Partition, read.From, read.To, read.AtMicros));
        Assert.Equal(Changes.Gateways, read.Gateways);
    }

    [Fact]
    public void Long_text_of_a_fork_is_cut()
    {
        var changes = Changes with
        {
            Gateways = [Changes.Gateways[1] with { Fork = new string('é', 5000) }],
        };

        Assert.Equal(
            new string('é', PartitionChanges.ForkCharactersMax),
            PartitionChanges.Read(Bytes(changes)).Gateways[0].Fork);
    }

    [Fact]
    public void Changes_that_are_cut_are_refused_and_a_changed_byte_never_does_more()
    {
        var bytes = Bytes(Changes);
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.Throws<WireFormatException>(() => PartitionChanges.Read(bytes.AsSpan(0, length)));
        }

        for (var i = 0; i < bytes.Length; i++)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                var damaged = bytes.ToArray();
                damaged[i] ^= (byte)(1 << bit);
                Assert.True(Record.Exception(() => PartitionChanges.Read(damaged)) is null or WireFormatException);
            }
        }
    }

    private static byte[] Bytes(PartitionChanges changes)
    {
        var writer = new WireWriter();
        changes.Write(writer);
        return writer.ToArray();
    }
}
