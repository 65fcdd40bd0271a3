using Telemetry.Edge.Uplink;
using Telemetry.Edge.Uplink.Mqtt;

namespace Telemetry.Tests.Edge.Uplink.Mqtt;

public sealed class PublishQueueTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly List<Begun> _begun = [];

    [Fact]
    public async Task Next_publish_begins_when_the_one_before_is_written_not_acknowledged()
    {
        var queue = Queue(10);
        var first = Publish(queue, "1");
        _ = Publish(queue, "2");
        Assert.Equal(["1"], Topics());

        _begun[0].Written.SetResult();
        await Until(() => Topics().Count == 2);

        Assert.False(first.IsCompleted);
    }

    [Fact]
    public async Task Window_is_never_exceeded_and_a_puback_makes_room()
    {
        var queue = Queue(2);
        Task<PublishOutcome>[] all = [.. Enumerable.Range(1, 5).Select(i => Publish(queue, $"{i}"))];
        for (var i = 0; i < 5; i++)
        {
            await Until(() => _begun.Count > i);
            _begun[i].Written.SetResult();
            await Task.Delay(20);
            Assert.InRange(_begun.Count - i, 0, 2);
            _begun[i].Acknowledged.SetResult(new PublishOutcome(0, $"r{i}", null));
        }

        var outcomes = await Task.WhenAll(all).WaitAsync(Patience);
        Assert.Equal(["1", "2", "3", "4", "5"], Topics());
        Assert.Equal(["r0", "r1", "r2", "r3", "r4"], outcomes.Select(o => o.Receipt));
    }

    [Fact]
    public async Task Publish_given_up_while_it_waits_is_never_begun()
    {
        var queue = Queue(10);
        _ = Publish(queue, "1");
        using var stop = new CancellationTokenSource();
        var second = queue.PublishAsync("2", default, stop.Token);
        _ = Publish(queue, "3");
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);

        _begun[0].Written.SetResult();
        await Until(() => _begun.Count == 2);

        Assert.Equal(["1", "3"], Topics());
    }

    [Fact]
    public async Task Publish_given_up_on_its_way_keeps_its_place_until_its_puback()
    {
        var queue = Queue(1);
        using var stop = new CancellationTokenSource();
        var first = queue.PublishAsync("1", default, stop.Token);
        _ = Publish(queue, "2");
        _begun[0].Written.SetResult();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await Task.Delay(50);
        Assert.Equal(["1"], Topics());

        _begun[0].Acknowledged.SetResult(new PublishOutcome(0, null, null));

        await Until(() => _begun.Count == 2);
    }

    [Fact]
    public async Task End_fails_what_waits_and_what_is_on_its_way_and_all_that_comes()
    {
        var queue = Queue(10);
        Task<PublishOutcome>[] all = [Publish(queue, "1"), Publish(queue, "2")];

        queue.End("gone", isTransient: true);

        foreach (var publish in all)
        {
            var failure = await Assert.ThrowsAsync<UplinkException>(() => publish.WaitAsync(Patience));
            Assert.Equal(("gone", true), (failure.Message, failure.IsTransient));
        }

        await Assert.ThrowsAsync<UplinkException>(() => Publish(queue, "3"));
        Assert.Equal(["1"], Topics());
    }

    [Fact]
    public async Task Failure_before_anything_is_written_holds_up_no_other()
    {
        var queue = Queue(10);
        var first = Publish(queue, "1");
        _ = Publish(queue, "2");

        _begun[0].Acknowledged.SetException(new UplinkException("no", isTransient: true));

        await Assert.ThrowsAsync<UplinkException>(() => first.WaitAsync(Patience));
        await Until(() => _begun.Count == 2);
    }

    [Fact]
    public async Task Beyond_the_limit_of_those_that_wait_a_publish_fails_at_once()
    {
        var queue = Queue(1);
        for (var i = 0; i <= PublishQueue.WaitingMax; i++)
        {
            _ = Publish(queue, $"{i}");
        }

        await Assert.ThrowsAsync<UplinkException>(() => Publish(queue, "more"));
    }

    private PublishQueue Queue(int windowMax) => new(windowMax, (topic, _) =>
    {
        var begun = new Begun(topic);
        lock (_begun)
        {
            _begun.Add(begun);
        }

        return (begun.Acknowledged.Task, begun.Written.Task);
    });

    private static async Task<PublishOutcome> Publish(PublishQueue queue, string topic) =>
        await queue.PublishAsync(topic, default, CancellationToken.None);

    private List<string> Topics()
    {
        lock (_begun)
        {
            return [.. _begun.Select(b => b.Topic)];
        }
    }

    private static async Task Until(Func<bool> holds)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!holds())
        {
            await Task.Delay(5, limit.Token);
        }
    }

    private sealed class Begun(string topic)
    {
        public string Topic => topic;

        public TaskCompletionSource<PublishOutcome> Acknowledged { get; } = new();

        public TaskCompletionSource Written { get; } = new();
    }
}
