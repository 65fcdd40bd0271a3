using System.Collections.Concurrent;
using System.Diagnostics;
using Telemetry.Model.Identity;
using Telemetry.Streams;
using Telemetry.Streams.JetStream;
using Telemetry.TestKit.Servers;
using static Telemetry.Integration.Streams.NatsClients;

namespace Telemetry.Integration.Streams;

/// <summary>
/// A server that stands still (SIGSTOP) takes no bytes: the library's buffer fills, and then whatever is to be written
/// waits for room.
/// </summary>
public sealed class FrozenServerTests
{
    /// <summary>The time limit of an answer, which is 5 s, and what a busy machine adds.</summary>
    private static readonly TimeSpan InTime = TimeSpan.FromSeconds(9);

    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(3);

    [NatsFact]
    public async Task Appends_that_wait_for_room_keep_the_time_limit()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        await connection.MakeStream();
        var appends = await Fill(server, connection);
        var asked = Stopwatch.GetTimestamp();
        foreach (var append in appends)
        {
            await Assert.ThrowsAsync<FrameLogException>(() => append);
        }

        Assert.InRange(Stopwatch.GetElapsedTime(asked), TimeSpan.FromSeconds(4), InTime);
    }

    [NatsFact]
    public async Task Calls_that_wait_for_room_keep_the_time_limit()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        await connection.MakeStream();
        var appends = await Fill(server, connection);
        var control = new NatsControlChannel(connection, NatsStand.Facts);
        var asked = Stopwatch.GetTimestamp();
        var hello = control.SayHelloAsync(3, GatewayId.Parse("g1"), Bytes("hello"), default).AsTask();
        var down = control.SendDownAsync(GatewayId.Parse("g1"), Bytes("down"), default).AsTask();
        var look = connection.CallAsync("look", stop => connection.FindStreamAsync("S", stop), default).AsTask();
        await Assert.ThrowsAsync<FrameLogException>(() => hello);
        await Assert.ThrowsAsync<FrameLogException>(() => down);
        await Assert.ThrowsAsync<FrameLogException>(() => look);
        Assert.InRange(Stopwatch.GetElapsedTime(asked), TimeSpan.Zero, InTime);
        await Settle(appends);
    }

    [NatsFact]
    public async Task Appends_that_wait_for_room_fail_when_the_link_breaks()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        await connection.MakeStream();
        var appends = await Fill(server, connection);
        await Task.Delay(500);
        Assert.Contains(appends, append => !append.IsCompleted);

        var killed = Stopwatch.GetTimestamp();
        await server.Kill();
        await Settle(appends);
        Assert.All(appends, append => Assert.IsType<FrameLogException>(append.Exception!.InnerException));
        Assert.InRange(Stopwatch.GetElapsedTime(killed), TimeSpan.Zero, AtOnce);
    }

    [NatsFact]
    public async Task Subscriptions_and_readers_end_without_waiting_for_room()
    {
        await using var server = await NatsServer.Start();
        await using var connection = await Connect(server);
        await connection.MakeStream();
        var control = new NatsControlChannel(connection, NatsStand.Facts);
        var listening = await control.ListenDownAsync(GatewayId.Parse("g1"), _ => { }, default);
        var serving = await control.ServeHellosAsync(3, (_, _) => { }, default);
        var reader = await connection.Begin(1);
        var appends = await Fill(server, connection);

        var asked = Stopwatch.GetTimestamp();
        await listening.DisposeAsync();
        await serving.DisposeAsync();
        await reader.DisposeAsync();
        Assert.InRange(Stopwatch.GetElapsedTime(asked), TimeSpan.Zero, AtOnce);

        await connection.DisposeAsync();
        await Settle(appends);
        Assert.InRange(Stopwatch.GetElapsedTime(asked), TimeSpan.Zero, AtOnce);
    }

    [NatsFact]
    public async Task Link_that_takes_and_gives_nothing_is_given_up()
    {
        await using var server = await NatsServer.Start();
        var changes = new ConcurrentQueue<LinkChangeKind>();
        await using var connection = await JetStreamConnection.ConnectAsync(
            Options(server) with { PingInterval = TimeSpan.FromSeconds(1) }, change => changes.Enqueue(change.Kind));
        await connection.MakeStream();
        var appends = await Fill(server, connection);
        await Settle(appends);
        for (var limit = Limit(); !changes.Contains(LinkChangeKind.Lost);)
        {
            await Task.Delay(50, limit);
        }

        server.Process.Signal(ProcessSignal.Continue);
        await connection.WaitUntilConnectedAsync(Limit());
        Assert.Null((await connection.Publish(Bytes("again"))).Error);
    }

    /// <summary>Stops the server and appends more than all the buffers on the way hold.</summary>
    private static async Task<Task[]> Fill(NatsServer server, JetStreamConnection connection)
    {
        server.Process.Signal(ProcessSignal.Stop);
        await Task.Delay(200);
        return [.. Enumerable.Range(0, 1500).Select(i => connection.Publish(new byte[32 * 1024], $"m{i}"))];
    }

    private static async Task Settle(Task[] appends) =>
        await Task.WhenAll(appends).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
