using System.Globalization;
using System.Text;
using Telemetry.Edge.Uplink;
using Xunit;

namespace Telemetry.TestKit.Contracts;

/// <summary>
/// The contract of every connector of the uplink: the one that speaks MQTT, and the simulated link. A subclass decides
/// how a test runs, so that the simulated link can run on its pump.
/// </summary>
public abstract class UplinkConnectorContract
{
    private const string Topic = "tm/1/gw-1/live";
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(10);

    /// <summary>Makes a cloud without sessions, runs the test on it, and leaves nothing behind.</summary>
    protected abstract Task RunAsync(Func<UplinkStand, Task> test);

    [Fact]
    public Task Connection_is_subscribed_before_it_is_handed_over() => RunAsync(async stand =>
    {
        await using var connection = await ConnectAsync(stand);
        Assert.True(stand.SendDown("first"));

        Assert.Equal("first", await NextAsync(stand, connection));
    });

    [Fact]
    public Task Publishes_arrive_as_they_were_and_in_the_order_in_which_they_were_begun() => RunAsync(async stand =>
    {
        await using var connection = await ConnectAsync(stand);
        var texts = Texts(100);

        var outcomes = await AllAsync(stand, texts.Select(text => PublishAsync(connection, text)));

        Assert.Equal(texts.Select(text => (Topic, text)), stand.Arrived);
        Assert.Equal(texts.Select(UplinkStand.Accepted), outcomes);
    });

    [Fact]
    public Task As_many_publishes_as_the_connection_says_wait_at_once_and_each_gets_its_own_PUBACK() =>
        RunAsync(async stand =>
        {
            var answers = new TaskCompletionSource();
            stand.Answer = async text =>
            {
                await answers.Task;
                return UplinkStand.Accepted(text);
            };
            await using var connection = await ConnectAsync(stand);
            var texts = Texts(connection.InFlightMax);
            var publishes = texts.Select(text => PublishAsync(connection, text)).ToList();

            await UntilAsync(stand, () => stand.Arrived.Count == texts.Length);
            Assert.All(publishes, publish => Assert.False(publish.IsCompleted));
            answers.SetResult();

            Assert.Equal(texts.Select(UplinkStand.Accepted), await AllAsync(stand, publishes));
        });

    [Fact]
    public Task PUBACK_that_refuses_is_an_outcome_and_the_connection_goes_on() => RunAsync(async stand =>
    {
        var full = new PublishOutcome(0x97, null, "the log is full");
        stand.Answer = text => Task.FromResult(text == "bad" ? full : UplinkStand.Accepted(text));
        await using var connection = await ConnectAsync(stand);

        var outcomes = await AllAsync(stand, [PublishAsync(connection, "bad"), PublishAsync(connection, "good")]);

        Assert.Equal([full, UplinkStand.Accepted("good")], outcomes);
        Assert.False(outcomes[0].Accepted);
        Assert.False(connection.Closed.IsCompleted);
    });

    [Fact]
    public Task Messages_come_down_in_order_and_the_oldest_are_dropped_when_nobody_reads() => RunAsync(async stand =>
    {
        const int Messages = 200;
        await using var connection = await ConnectAsync(stand);
        for (var i = 0; i < Messages; i++)
        {
            await UntilAsync(stand, () => stand.SendDown(i.ToString(CultureInfo.InvariantCulture)));
        }

        await UntilAsync(stand, () => connection.Down.TryPeek(out var first) && Number(first) > 0);
        var seen = new List<int>();
        while (seen.LastOrDefault() < Messages - 1)
        {
            seen.Add(int.Parse(await NextAsync(stand, connection), CultureInfo.InvariantCulture));
        }

        Assert.Equal(seen.Distinct().Order(), seen);
        Assert.InRange(seen.Count, 1, Messages - 1);
    });

    [Fact]
    public Task No_connection_can_be_made_while_the_link_is_cut() => RunAsync(async stand =>
    {
        stand.Cut();

        Assert.True((await RefusedAsync(stand)).IsTransient);

        stand.Mend();
        await using var connection = await ConnectAsync(stand);
        Assert.True((await PublishAsync(connection, "a")).Accepted);
    });

    [Fact]
    public Task Cloud_that_cannot_open_a_session_refuses_the_connection_and_may_take_the_next() =>
        RunAsync(async stand =>
        {
            stand.Opening = () => Task.FromException(new InvalidOperationException("no database"));

            Assert.True((await RefusedAsync(stand)).IsTransient);

            stand.Opening = () => Task.CompletedTask;
            await using var connection = await ConnectAsync(stand);
            Assert.True((await PublishAsync(connection, "a")).Accepted);
        });

    [Fact]
    public Task Connecting_that_is_given_up_leaves_no_session_behind() => RunAsync(async stand =>
    {
        var opening = new TaskCompletionSource();
        stand.Opening = () => opening.Task;
        using var stop = new CancellationTokenSource();
        var connecting = stand.Connector.ConnectAsync(stop.Token);
        await UntilAsync(stand, () => stand.OpenSessions == 1);

        stop.Cancel();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting.WaitAsync(Within, stand.Time));
        opening.SetResult();
        await UntilAsync(stand, () => stand.OpenSessions == 0);
    });

    [Fact]
    public Task Break_fails_what_waits_and_what_had_come_down_can_still_be_read() => RunAsync(async stand =>
    {
        stand.Answer = _ => new TaskCompletionSource<PublishOutcome>().Task;
        await using var connection = await ConnectAsync(stand);
        Assert.True(stand.SendDown("before"));
        await UntilAsync(stand, () => connection.Down.TryPeek(out _));
        var publish = PublishAsync(connection, "a");
        await UntilAsync(stand, () => stand.Arrived.Count == 1);

        stand.Break();

        Assert.True((await FailedAsync(stand, publish)).IsTransient);
        await connection.Closed.WaitAsync(Within, stand.Time);
        await FailedAsync(stand, PublishAsync(connection, "b"));
        Assert.Equal("before", await NextAsync(stand, connection));
    });

    [Fact]
    public Task Next_connection_works_and_sends_nothing_of_the_broken_one_again() => RunAsync(async stand =>
    {
        stand.Answer = _ => new TaskCompletionSource<PublishOutcome>().Task;
        await using var broken = await ConnectAsync(stand);
        var lost = PublishAsync(broken, "a");
        await UntilAsync(stand, () => stand.Arrived.Count == 1);
        stand.Break();
        await FailedAsync(stand, lost);
        stand.Answer = text => Task.FromResult(UplinkStand.Accepted(text));

        await using var next = await ConnectAsync(stand);

        Assert.Equal(UplinkStand.Accepted("b"), await PublishAsync(next, "b").WaitAsync(Within, stand.Time));
        Assert.Equal(["a", "b"], stand.Arrived.Select(arrival => arrival.Text));
        Assert.True(stand.SendDown("hello"));
        Assert.Equal("hello", await NextAsync(stand, next));
    });

    [Fact]
    public Task New_connection_takes_the_place_of_the_older_one() => RunAsync(async stand =>
    {
        stand.Answer = text => text == "old"
            ? new TaskCompletionSource<PublishOutcome>().Task : Task.FromResult(UplinkStand.Accepted(text));
        await using var older = await ConnectAsync(stand);
        var waiting = PublishAsync(older, "old");
        await UntilAsync(stand, () => stand.Arrived.Count == 1);

        await using var newer = await ConnectAsync(stand);

        await FailedAsync(stand, waiting);
        await older.Closed.WaitAsync(Within, stand.Time);
        Assert.True((await PublishAsync(newer, "new").WaitAsync(Within, stand.Time)).Accepted);
        await UntilAsync(stand, () => stand.OpenSessions == 1);
    });

    [Fact]
    public Task Disposal_fails_what_waits_and_ends_the_session() => RunAsync(async stand =>
    {
        stand.Answer = _ => new TaskCompletionSource<PublishOutcome>().Task;
        var connection = await ConnectAsync(stand);
        var publish = PublishAsync(connection, "a");
        await UntilAsync(stand, () => stand.Arrived.Count == 1);

        await connection.DisposeAsync();

        await FailedAsync(stand, publish);
        Assert.True(connection.Closed.IsCompleted);
        await UntilAsync(stand, () => connection.Down.Completion.IsCompleted);
        await FailedAsync(stand, PublishAsync(connection, "b"));
        await UntilAsync(stand, () => stand.OpenSessions == 0);
        await connection.DisposeAsync();
    });

    [Fact]
    public Task Publish_that_is_given_up_leaves_the_connection_as_it_was() => RunAsync(async stand =>
    {
        var answer = new TaskCompletionSource();
        stand.Answer = async text =>
        {
            await (text == "slow" ? answer.Task : Task.CompletedTask);
            return UplinkStand.Accepted(text);
        };
        await using var connection = await ConnectAsync(stand);
        using var stop = new CancellationTokenSource();
        var slow = PublishAsync(connection, "slow", stop.Token);
        await UntilAsync(stand, () => stand.Arrived.Count == 1);

        stop.Cancel();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => slow.WaitAsync(Within, stand.Time));
        answer.SetResult();
        Assert.Equal(
            UplinkStand.Accepted("next"), await PublishAsync(connection, "next").WaitAsync(Within, stand.Time));
        Assert.False(connection.Closed.IsCompleted);
    });

    private static string[] Texts(int count) => [.. Enumerable.Range(0, count).Select(i => $"m{i}")];

    private static int Number(ReadOnlyMemory<byte> message) =>
        int.Parse(Encoding.UTF8.GetString(message.Span), CultureInfo.InvariantCulture);

    private static Task<IUplinkConnection> ConnectAsync(UplinkStand stand) =>
        stand.Connector.ConnectAsync(CancellationToken.None).WaitAsync(Within, stand.Time);

    private static Task<PublishOutcome> PublishAsync(
        IUplinkConnection connection, string text, CancellationToken cancellationToken = default) =>
        connection.PublishAsync(Topic, Encoding.UTF8.GetBytes(text), cancellationToken).AsTask();

    private static Task<PublishOutcome[]> AllAsync(UplinkStand stand, IEnumerable<Task<PublishOutcome>> publishes) =>
        Task.WhenAll(publishes).WaitAsync(Within, stand.Time);

    // Looked for, since a channel resumes who waits for it on any thread, and the simulated link has one.
    private static async Task<string> NextAsync(UplinkStand stand, IUplinkConnection connection)
    {
        ReadOnlyMemory<byte> message = default;
        await UntilAsync(stand, () => connection.Down.TryRead(out message));
        return Encoding.UTF8.GetString(message.Span);
    }

    private static Task<UplinkException> RefusedAsync(UplinkStand stand) =>
        Assert.ThrowsAsync<UplinkException>(() => ConnectAsync(stand));

    private static Task<UplinkException> FailedAsync(UplinkStand stand, Task<PublishOutcome> publish) =>
        Assert.ThrowsAsync<UplinkException>(() => publish.WaitAsync(Within, stand.Time));

    private static async Task UntilAsync(UplinkStand stand, Func<bool> holds)
    {
        var began = stand.Time.GetTimestamp();
        while (!holds())
        {
            Assert.True(stand.Time.GetElapsedTime(began) < Within, "It did not come in time.");
            await Task.Delay(LookEvery, stand.Time);
        }
    }
}
