using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Streams;
using Xunit;

namespace Telemetry.TestKit.Contracts;

/// <summary>A bus under test as an ingress and as an owner see it; they may be one object.</summary>
public sealed record ControlChannelStand(IControlChannel Ingress, IControlChannel Owner, TimeProvider Time)
{
    /// <summary>The bus of an ingress with another number of partitions.</summary>
    public required IControlChannel Stranger { get; init; }
}

/// <summary>What every bus does: core NATS and the simulated one.</summary>
public abstract class ControlChannelContract
{
    private static readonly GatewayId One = GatewayId.Parse("gateway-1");
    private static readonly GatewayId Two = GatewayId.Parse("gateway-2");

    /// <summary>Makes a fresh bus, runs the test on it, and leaves nothing behind.</summary>
    protected abstract Task RunAsync(Func<ControlChannelStand, Task> test);

    [Fact]
    public Task Hello_without_an_owner_is_told_so() => RunAsync(async stand =>
    {
        await using var other = await stand.Owner.ServeHellosAsync(4, (_, _) => { }, default);

        Assert.False(await stand.Ingress.SayHelloAsync(3, One, new byte[] { 1 }, default));
    });

    [Fact]
    public Task Hello_of_an_ingress_with_another_number_of_partitions_reaches_nobody() => RunAsync(async stand =>
    {
        await using var serving = await stand.Owner.ServeHellosAsync(3, (_, _) => { }, default);

        Assert.False(await stand.Stranger.SayHelloAsync(3, One, new byte[] { 1 }, default));
    });

    [Fact]
    public Task Hello_reaches_the_owner_as_it_was_said() => RunAsync(async stand =>
    {
        var heard = new Heard<(GatewayId, byte[])>(stand.Time);
        await using var serving = await stand.Owner.ServeHellosAsync(
            3, (gateway, hello) => heard.Add((gateway, hello.ToArray())), default);

        Assert.True(await stand.Ingress.SayHelloAsync(3, One, new byte[] { 0, 13, 10, 255 }, default));

        var (gateway, hello) = (await heard.Take(1))[0];
        Assert.Equal(One, gateway);
        Assert.Equal(new byte[] { 0, 13, 10, 255 }, hello);
    });

    [Fact]
    public Task Hello_of_the_greatest_size_is_carried() => RunAsync(async stand =>
    {
        var heard = new Heard<int>(stand.Time);
        await using var serving = await stand.Owner.ServeHellosAsync(3, (_, hello) => heard.Add(hello.Length), default);

        Assert.True(await stand.Ingress.SayHelloAsync(3, One, new byte[Hello.BytesMax], default));

        Assert.Equal([Hello.BytesMax], await heard.Take(1));
    });

    [Fact]
    public Task Owner_that_stopped_serving_is_none() => RunAsync(async stand =>
    {
        var serving = await stand.Owner.ServeHellosAsync(3, (_, _) => { }, default);
        await serving.DisposeAsync();
        await Settle(stand);

        Assert.False(await stand.Ingress.SayHelloAsync(3, One, new byte[] { 1 }, default));
    });

    [Fact]
    public Task Message_down_reaches_every_listener_of_its_gateway_and_nobody_else() => RunAsync(async stand =>
    {
        var first = new Heard<byte>(stand.Time);
        var second = new Heard<byte>(stand.Time);
        var stranger = new Heard<byte>(stand.Time);
        await using var a = await stand.Ingress.ListenDownAsync(One, message => first.Add(message.Span[0]), default);
        await using var b = await stand.Ingress.ListenDownAsync(One, message => second.Add(message.Span[0]), default);
        await using var c = await stand.Ingress.ListenDownAsync(Two, message => stranger.Add(message.Span[0]), default);

        await stand.Owner.SendDownAsync(One, new byte[] { 1 }, default);
        await stand.Owner.SendDownAsync(One, new byte[] { 2 }, default);
        await stand.Owner.SendDownAsync(Two, new byte[] { 3 }, default);

        Assert.Equal([1, 2], await first.Take(2));
        Assert.Equal([1, 2], await second.Take(2));
        Assert.Equal([3], await stranger.Take(1));
    });

    [Fact]
    public Task Message_down_to_nobody_is_no_error() => RunAsync(async stand =>
    {
        await stand.Owner.SendDownAsync(One, new byte[] { 1 }, default);
        Assert.False(await stand.Ingress.SayHelloAsync(3, One, new byte[] { 1 }, default));
    });

    [Fact]
    public Task Listener_hears_nothing_of_what_was_sent_before_it_listened_or_after_it_ended() =>
        RunAsync(async stand =>
        {
            await stand.Owner.SendDownAsync(One, new byte[] { 1 }, default);
            await Settle(stand);
            var ended = new Heard<byte>(stand.Time);
            var listening = new Heard<byte>(stand.Time);
            var ending = await stand.Ingress.ListenDownAsync(One, message => ended.Add(message.Span[0]), default);
            await using var stays = await stand.Ingress.ListenDownAsync(
                One, message => listening.Add(message.Span[0]), default);
            await stand.Owner.SendDownAsync(One, new byte[] { 2 }, default);
            await ended.Take(1);
            await ending.DisposeAsync();
            await Settle(stand);

            await stand.Owner.SendDownAsync(One, new byte[] { 3 }, default);

            Assert.Equal([2, 3], await listening.Take(2));
            Assert.Equal([2], await ended.Take(1));
        });

    /// <summary>What was sent and asked before has reached everyone.</summary>
    private static async Task Settle(ControlChannelStand stand)
    {
        var gateway = GatewayId.Parse("nobody");
        foreach (var (from, to) in new[] { (stand.Ingress, stand.Owner), (stand.Owner, stand.Ingress) })
        {
            var heard = new Heard<byte>(stand.Time);
            await using var listening = await to.ListenDownAsync(
                gateway, message => heard.Add(message.Span[0]), default);
            await from.SendDownAsync(gateway, new byte[] { 0 }, default);
            await heard.Take(1);
        }
    }

    /// <summary>What a handler heard; handlers run where the bus runs them.</summary>
    private sealed class Heard<T>(TimeProvider time)
    {
        private readonly List<T> _items = [];

        public void Add(T item)
        {
            lock (_items)
            {
                _items.Add(item);
            }
        }

        /// <summary>Waits until there are so many; gives all there are then.</summary>
        public async Task<List<T>> Take(int count)
        {
            for (var attempt = 0; attempt < 1000; attempt++)
            {
                lock (_items)
                {
                    if (_items.Count >= count)
                    {
                        return [.. _items];
                    }
                }

                await Task.Delay(TimeSpan.FromMilliseconds(10), time);
            }

            throw new TimeoutException($"Fewer than {count} messages came.");
        }
    }
}
