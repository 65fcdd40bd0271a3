using NATS.Client.JetStream.Models;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Streams;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Streams;

/// <summary>What only a real server can do to the frame log; its contract is in NatsContractTests.</summary>
public sealed class JetStreamFrameLogTests
{
    [NatsFact]
    public async Task Frame_that_another_stream_takes_is_not_acknowledged()
    {
        await using var stand = await NatsStand.Start();
        await stand.WipeAsync(NatsStand.Partition);
        var subjects = StreamNames.Subjects(
            NatsStand.Facts.Generation, NatsStand.Facts.Partitions, NatsStand.Partition, StreamKind.Live);
        await stand.Connection.Context.CreateStreamAsync(new StreamConfig("OTHER", [subjects]));

        var refused = await Assert.ThrowsAsync<FrameLogException>(async () => await stand.Log.AppendAsync(
            NatsStand.Partition, StreamKind.Live, GatewayId.Parse("gateway-1"), "a", new byte[] { 1 }, default));

        Assert.Equal("stream OTHER takes what belongs to LIVE_3", refused.Message);
        Assert.False(refused.IsFull);
    }
}
