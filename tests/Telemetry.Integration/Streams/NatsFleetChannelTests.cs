using System.Collections.Concurrent;
using Telemetry.Streams;
using Telemetry.Streams.JetStream;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Streams;

/// <summary>Presence and changes over a real nats-server.</summary>
public sealed class NatsFleetChannelTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [ServersFact(nats: true)]
    public async Task Report_reaches_one_of_those_who_share_and_each_of_the_others()
    {
        await using var stand = await NatsStand.Start(makeStreams: false);
        var channel = new NatsFleetChannel(stand.Connection, NatsStand.Facts);
        using var shared = new BlockingCollection<byte>();
        using var alone = new BlockingCollection<byte>();
        await using var one = await channel.ListenPresenceAsync(shared: true, m => shared.Add(m.Span[0]), default);
        await using var two = await channel.ListenPresenceAsync(shared: true, m => shared.Add(m.Span[0]), default);
        await using var three = await channel.ListenPresenceAsync(shared: false, m => alone.Add(m.Span[0]), default);

        for (byte i = 0; i < 20; i++)
        {
            await channel.ReportPresenceAsync(new[] { i }, default);
        }

        Assert.Equal(Enumerable.Range(0, 20), Take(alone, 20).Select(b => (int)b));
        Assert.Equal(Enumerable.Range(0, 20), Take(shared, 20).Select(b => (int)b).Order());
    }

    [ServersFact(nats: true)]
    public async Task Changes_of_all_partitions_are_heard_and_not_those_of_another_number_of_partitions()
    {
        await using var stand = await NatsStand.Start(makeStreams: false);
        var channel = new NatsFleetChannel(stand.Connection, NatsStand.Facts);
        var stranger = new NatsFleetChannel(stand.Connection, SampleInstallation.Of(8));
        using var heard = new BlockingCollection<byte>();
        await using var listening = await channel.ListenChangesAsync(m => heard.Add(m.Span[0]), default);

        await stranger.PublishChangesAsync(0, new byte[] { 9 }, default);
        await channel.PublishChangesAsync(0, new byte[] { 1 }, default);
        await channel.PublishChangesAsync(15, new byte[] { 2 }, default);

        Assert.Equal([1, 2], Take(heard, 2));
    }

    [ServersFact(nats: true)]
    public async Task Listening_goes_on_after_the_server_was_away_and_what_is_said_meanwhile_is_refused()
    {
        await using var stand = await NatsStand.Start(makeStreams: false);
        var channel = new NatsFleetChannel(stand.Connection, NatsStand.Facts);
        using var heard = new BlockingCollection<byte>();
        await using var listening = await channel.ListenChangesAsync(m => heard.Add(m.Span[0]), default);
        await stand.Server.Kill();

        // The link's end may be noticed a moment later than by us.
        await Assert.ThrowsAsync<FrameLogException>(async () =>
        {
            while (true)
            {
                await channel.PublishChangesAsync(0, new byte[] { 1 }, default);
            }
        });
        await stand.Server.Restart();
        await stand.Connection.WaitUntilConnectedAsync(default);

        // The server knows the subscription again as soon as the library has said it.
        byte found = 0;
        for (var attempt = 0; attempt < 300 && found == 0; attempt++)
        {
            await channel.PublishChangesAsync(0, new byte[] { 2 }, default);
            heard.TryTake(out found, TimeSpan.FromMilliseconds(100));
        }

        Assert.Equal(2, found);
    }

    private static byte[] Take(BlockingCollection<byte> heard, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => heard.TryTake(out var one, Soon) ? one : byte.MaxValue)];
}
