using Telemetry.Ingress;
using Telemetry.Model.Identity;
using Telemetry.TestKit.Time;
using static Telemetry.TestKit.Messages.SampleMessages;

namespace Telemetry.Tests.Ingress.Down;

public sealed class IngressDownTests
{
    private readonly SimulatedClock _clock = new();
    private readonly FakeControlChannel _control = new();
    private readonly IngressCounters _counters = new();
    private readonly List<byte[]> _sent = [];
    private bool _takes = true;

    [Fact]
    public async Task Message_reaches_the_session_as_it_was_though_the_bus_reuses_its_buffer()
    {
        await using var session = await Open();

        await _control.SendDownAsync(Gateway, Ack(1), default);

        Assert.Equal([Ack(1)], _sent);
        Assert.Equal(1, _counters[IngressEvent.DownSent]);
    }

    [Fact]
    public async Task Message_to_another_gateway_does_not_come()
    {
        await using var session = await Open();

        await _control.SendDownAsync(GatewayId.Parse("gateway-2"), Ack(1), default);

        Assert.Empty(_sent);
    }

    [Fact]
    public async Task Session_that_takes_no_more_gets_the_newest_few_in_order_when_it_does_again()
    {
        await using var session = await Open(messagesMax: 3);
        _takes = false;
        for (ulong token = 1; token <= 5; token++)
        {
            await _control.SendDownAsync(Gateway, Needed(token), default);
        }

        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(_sent);
        _takes = true;
        _clock.Advance(TimeSpan.FromMilliseconds(100));

        Assert.Equal([Needed(3), Needed(4), Needed(5)], _sent);
        Assert.Equal((2, 3), (_counters[IngressEvent.DownDropped], _counters[IngressEvent.DownSent]));
    }

    [Fact]
    public async Task Message_does_not_overtake_one_that_waits()
    {
        await using var session = await Open();
        _takes = false;
        await _control.SendDownAsync(Gateway, Needed(1), default);
        _takes = true;
        await _control.SendDownAsync(Gateway, Needed(2), default);

        _clock.Advance(TimeSpan.FromMilliseconds(100));

        Assert.Equal([Needed(1), Needed(2)], _sent);
    }

    [Fact]
    public async Task Answer_takes_the_place_of_the_stored_acks_that_wait()
    {
        await using var session = await Open();
        _takes = false;
        foreach (var message in new[] { Ack(1), Needed(1), Answer(1), Ack(2), Answer(2), Ack(3) })
        {
            await _control.SendDownAsync(Gateway, message, default);
        }

        _takes = true;
        _clock.Advance(TimeSpan.FromMilliseconds(100));

        Assert.Equal([Needed(1), Answer(2), Ack(3)], _sent);
        Assert.Equal((3, 0), (_counters[IngressEvent.DownCoalesced], _counters[IngressEvent.DownDropped]));
    }

    [Fact]
    public async Task Bytes_that_wait_are_bounded_but_the_newest_always_stays()
    {
        await using var session = await Open(bytesMax: 50);
        _takes = false;
        await _control.SendDownAsync(Gateway, new byte[30], default);
        await _control.SendDownAsync(Gateway, new byte[30], default);
        await _control.SendDownAsync(Gateway, new byte[90], default);
        _takes = true;
        _clock.Advance(TimeSpan.FromMilliseconds(100));

        Assert.Equal(90, Assert.Single(_sent).Length);
        Assert.Equal(2, _counters[IngressEvent.DownDropped]);
    }

    [Fact]
    public async Task Closed_session_listens_no_more_and_its_timer_is_silent()
    {
        var session = await Open();
        _takes = false;
        await _control.SendDownAsync(Gateway, Ack(1), default);
        await session.DisposeAsync();
        await session.DisposeAsync();
        _takes = true;
        _clock.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(0, _control.Listeners);
        Assert.Empty(_sent);
        Assert.Equal((1, 1), (_counters[IngressEvent.SessionOpened], _counters[IngressEvent.SessionClosed]));
    }

    private ValueTask<IAsyncDisposable> Open(int messagesMax = 8, int bytesMax = 10_000)
    {
        var options = new IngressOptions { DownMessagesMax = messagesMax, DownBytesMax = bytesMax };
        var core = new IngressCore(new FakeFrameLog(_clock), _control, options, _clock, _counters);
        return core.OpenSessionAsync(Gateway, Take, default);
    }

    private bool Take(ReadOnlyMemory<byte> message)
    {
        if (_takes)
        {
            // Kept without a copy, as a transport may.
            _sent.Add(
                System.Runtime.InteropServices.MemoryMarshal.TryGetArray(message, out var bytes) ? bytes.Array! : []);
        }

        return _takes;
    }
}
