using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Streams;
using Xunit;

namespace Telemetry.TestKit.Contracts;

/// <summary>
/// What every log does: JetStream and the simulated one. Appending and what is known of a stream are here, reading is
/// in <see cref="FrameLogReaderContract"/>. A subclass says how a test runs, so that a simulated one can run on its
/// pump.
/// </summary>
public abstract class FrameLogContract
{
    private const int P = 3;

    private static readonly GatewayId G = GatewayId.Parse("gateway-1");

    /// <summary>Makes a fresh log, runs the test on it, and leaves nothing behind.</summary>
    protected abstract Task RunAsync(FrameLogStandOptions options, Func<FrameLogStand, Task> test);

    [Fact]
    public Task Sequences_of_a_stream_are_1_2_3_and_each_stream_has_its_own() => RunAsync(async stand =>
    {
        Assert.Equal(new FrameAppend(1, false), await Append(stand, "a"));
        Assert.Equal(new FrameAppend(2, false), await Append(stand, "b"));
        Assert.Equal(new FrameAppend(1, false), await Append(stand, "c", StreamKind.Backlog));
        Assert.Equal(new FrameAppend(3, false), await Append(stand, "d"));
    });

    [Fact]
    public Task Appends_under_way_at_once_stand_in_the_order_in_which_they_were_begun() => RunAsync(async stand =>
    {
        var appends = Enumerable.Range(0, 300).Select(i => Append(stand, $"m{i}").AsTask()).ToArray();
        var results = await Task.WhenAll(appends);

        Assert.Equal(Enumerable.Range(1, 300).Select(i => (long)i), results.Select(result => result.Sequence));
    });

    [Fact]
    public Task Message_comes_back_as_it_was_appended() => RunAsync(async stand =>
    {
        var before = Nanos(stand.Time.GetUtcNow());
        byte[] data = [0, 1, 2, 13, 10, 255];
        await stand.Log.AppendAsync(P, StreamKind.Backlog, G, "gateway-1/x/y+1/z-1", data, default);
        data.AsSpan().Clear();

        var message = await stand.Log.ReadAsync(P, StreamKind.Backlog, 1, default);

        Assert.NotNull(message);
        Assert.Equal((G, "gateway-1/x/y+1/z-1", 1L), (message.Gateway, message.MessageId, message.Sequence));
        Assert.Equal(new byte[] { 0, 1, 2, 13, 10, 255 }, message.Data.ToArray());
        Assert.InRange(message.StoredAtNanos, before - 1_000_000, Nanos(stand.Time.GetUtcNow()) + 1_000_000);
    });

    [Fact]
    public Task Same_message_id_within_the_window_is_not_stored_again_and_gets_the_first_sequence() =>
        RunAsync(async stand =>
        {
            await Append(stand, "other");
            await Append(stand, "a");

            Assert.Equal(new FrameAppend(2, true), await Append(stand, "a"));
            Assert.Equal(2, (await stand.Log.StateAsync(P, StreamKind.Live, default))!.Value.Last);
        });

    [Fact]
    public Task Same_message_id_is_swallowed_even_when_its_message_was_purged_within_the_window() =>
        RunAsync(async stand =>
        {
            await Append(stand, "a");
            await Append(stand, "b");
            await stand.Log.PurgeAsync(P, StreamKind.Live, 2, default);

            // So "duplicate" proves nothing, and a deliberate resend needs an id of its own.
            Assert.Equal(new FrameAppend(1, true), await Append(stand, "a"));
            Assert.Null(await stand.Log.ReadAsync(P, StreamKind.Live, 1, default));
            Assert.Equal(new FrameAppend(3, false), await Append(stand, "a-2"));
        });

    [Fact]
    public Task Message_id_is_known_to_its_stream_alone() => RunAsync(async stand =>
    {
        await Append(stand, "a");

        Assert.Equal(new FrameAppend(1, false), await Append(stand, "a", StreamKind.Backlog));
    });

    [Fact]
    public Task Message_id_is_forgotten_after_the_window() => RunAsync(
        FrameLogStandOptions.Ordinary with { DuplicateWindow = TimeSpan.FromSeconds(1) },
        async stand =>
        {
            await Append(stand, "a");
            await Task.Delay(TimeSpan.FromSeconds(3), stand.Time);

            Assert.Equal(new FrameAppend(2, false), await Append(stand, "a"));
        });

    [Fact]
    public Task Message_id_is_forgotten_with_its_stream() => RunAsync(async stand =>
    {
        await Append(stand, "a");
        await WipeAndMake(stand);

        Assert.Equal(new FrameAppend(1, false), await Append(stand, "a"));
    });

    [Fact]
    public Task State_of_no_stream_is_null() => RunAsync(async stand =>
        Assert.Null(await stand.Log.StateAsync(P + 1, StreamKind.Live, default)));

    [Fact]
    public Task State_of_an_empty_stream_ends_before_it_begins() => RunAsync(async stand =>
    {
        var state = await stand.Log.StateAsync(P, StreamKind.Live, default);

        Assert.Equal((1L, 0L), (state!.Value.First, state.Value.Last));
        Assert.NotEqual(0, state.Value.CreatedNanos);
    });

    [Fact]
    public Task State_follows_appends_and_purges_and_the_end_never_falls() => RunAsync(async stand =>
    {
        for (var i = 1; i <= 5; i++)
        {
            await Append(stand, $"m{i}");
        }

        Assert.Equal((1L, 5L), await FirstAndLast(stand));
        await stand.Log.PurgeAsync(P, StreamKind.Live, 4, default);
        Assert.Equal((4L, 5L), await FirstAndLast(stand));
        Assert.NotNull(await stand.Log.ReadAsync(P, StreamKind.Live, 4, default));
        await stand.Log.PurgeAsync(P, StreamKind.Live, 2, default);
        Assert.Equal((4L, 5L), await FirstAndLast(stand));
        await stand.Log.PurgeAsync(P, StreamKind.Live, 6, default);
        Assert.Equal((6L, 5L), await FirstAndLast(stand));
        Assert.Equal(6, (await Append(stand, "m6")).Sequence);
    });

    [Fact]
    public Task Purge_below_the_first_message_does_nothing() => RunAsync(async stand =>
    {
        await Append(stand, "a");
        await stand.Log.PurgeAsync(P, StreamKind.Live, 0, default);
        await stand.Log.PurgeAsync(P, StreamKind.Live, 1, default);

        Assert.Equal((1L, 1L), await FirstAndLast(stand));
    });

    [Fact]
    public Task Stream_made_anew_differs_in_when_it_was_made() => RunAsync(async stand =>
    {
        await Append(stand, "a");
        var before = await stand.Log.StateAsync(P, StreamKind.Live, default);
        await stand.Log.EnsureStreamsAsync(P, default);
        Assert.Equal(before, await stand.Log.StateAsync(P, StreamKind.Live, default));

        await WipeAndMake(stand);

        var after = await stand.Log.StateAsync(P, StreamKind.Live, default);
        Assert.Equal((1L, 0L), (after!.Value.First, after.Value.Last));
        Assert.NotEqual(before!.Value.CreatedNanos, after.Value.CreatedNanos);
    });

    [Fact]
    public Task Wiped_stream_is_no_stream_and_takes_nothing_until_it_is_made() => RunAsync(async stand =>
    {
        await Append(stand, "a");
        await stand.WipeAsync(P);

        Assert.Null(await stand.Log.StateAsync(P, StreamKind.Live, default));
        Assert.Null(await stand.Log.ReadAsync(P, StreamKind.Live, 1, default));
        var refused = await Assert.ThrowsAsync<FrameLogException>(() => Append(stand, "b").AsTask());
        Assert.False(refused.IsFull);
        await stand.Log.EnsureStreamsAsync(P, default);
        Assert.Equal(new FrameAppend(1, false), await Append(stand, "b"));
    });

    [Fact]
    public Task What_was_acknowledged_is_there_after_the_link_broke() => RunAsync(async stand =>
    {
        await Append(stand, "a");
        var before = await stand.Log.StateAsync(P, StreamKind.Live, default);

        await stand.BreakLinkAsync();

        Assert.Equal(before, await Again(stand, () => stand.Log.StateAsync(P, StreamKind.Live, default).AsTask()));
        Assert.Equal(new FrameAppend(1, true), await Again(stand, () => Append(stand, "a").AsTask()));
    });

    [Fact]
    public Task No_message_is_null() => RunAsync(async stand =>
    {
        await Append(stand, "a");
        await Append(stand, "b");
        await stand.Log.PurgeAsync(P, StreamKind.Live, 2, default);

        Assert.Null(await stand.Log.ReadAsync(P, StreamKind.Live, 0, default));
        Assert.Null(await stand.Log.ReadAsync(P, StreamKind.Live, 1, default));
        Assert.Null(await stand.Log.ReadAsync(P, StreamKind.Live, 3, default));
        Assert.Null(await stand.Log.ReadAsync(P, StreamKind.Backlog, 2, default));
    });

    [Fact]
    public Task Full_stream_says_so_and_the_other_one_takes_on() => RunAsync(
        FrameLogStandOptions.Ordinary with { LiveBytesMax = 64 * 1024 },
        async stand =>
        {
            var data = new byte[8 * 1024];
            var stored = 0;
            var full = await Assert.ThrowsAsync<FrameLogException>(async () =>
            {
                for (; stored < 20; stored++)
                {
                    await stand.Log.AppendAsync(P, StreamKind.Live, G, $"m{stored}", data, default);
                }
            });

            Assert.True(full.IsFull, full.Message);
            Assert.InRange(stored, 5, 8);
            Assert.Equal(1, (await stand.Log.AppendAsync(P, StreamKind.Backlog, G, "b", data, default)).Sequence);

            // What was refused was not remembered either: it is stored when there is room.
            await stand.Log.PurgeAsync(P, StreamKind.Live, 5, default);
            Assert.Equal(
                new FrameAppend(stored + 1, false),
                await stand.Log.AppendAsync(P, StreamKind.Live, G, $"m{stored}", data, default));
        });

    private Task RunAsync(Func<FrameLogStand, Task> test) => RunAsync(FrameLogStandOptions.Ordinary, test);

    private static ValueTask<FrameAppend> Append(
        FrameLogStand stand, string messageId, StreamKind stream = StreamKind.Live) =>
        stand.Log.AppendAsync(P, stream, G, messageId, new byte[] { 1, 2, 3 }, default);

    private static async Task WipeAndMake(FrameLogStand stand)
    {
        await stand.WipeAsync(P);
        await Task.Delay(TimeSpan.FromMilliseconds(5), stand.Time);
        await stand.Log.EnsureStreamsAsync(P, default);
    }

    private static async Task<(long First, long Last)> FirstAndLast(FrameLogStand stand)
    {
        var state = await stand.Log.StateAsync(P, StreamKind.Live, default);
        return (state!.Value.First, state.Value.Last);
    }

    private static async Task<T> Again<T>(FrameLogStand stand, Func<Task<T>> act)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await act();
            }
            catch (FrameLogException) when (attempt < 100)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), stand.Time);
            }
        }
    }

    private static long Nanos(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks * 100;
}
