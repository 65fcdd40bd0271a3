using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Streams;
using Xunit;

namespace Telemetry.TestKit.Contracts;

/// <summary>
/// How every log is read: see <see cref="FrameLogContract"/>. Streams hold messages m1, m2, m3 … of one byte.
/// </summary>
public abstract class FrameLogReaderContract
{
    private const int P = 3;

    private static readonly GatewayId G = GatewayId.Parse("gateway-1");

    /// <inheritdoc cref="FrameLogContract.RunAsync(FrameLogStandOptions, Func{FrameLogStand, Task})"/>
    protected abstract Task RunAsync(FrameLogStandOptions options, Func<FrameLogStand, Task> test);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(0, 1)]
    [InlineData(4, 4)]
    public Task Reader_begins_where_it_is_told(long from, long first) => RunAsync(async stand =>
    {
        await Fill(stand, 5);
        await using var reader = await stand.Log.BeginAsync(P, StreamKind.Live, from, default);

        Assert.Equal(Range(first, 5), await Take(stand, reader, (int)(5 - first + 1)));
    });

    [Fact]
    public Task Reader_that_begins_below_the_first_message_begins_with_that() => RunAsync(async stand =>
    {
        await Fill(stand, 5);
        await stand.Log.PurgeAsync(P, StreamKind.Live, 4, default);
        await using var reader = await stand.Log.BeginAsync(P, StreamKind.Live, 2, default);

        Assert.Equal([4, 5], await Take(stand, reader, 2));
        Assert.Null(reader.End);
    });

    [Fact]
    public Task Message_is_the_same_as_when_read_by_its_sequence() => RunAsync(async stand =>
    {
        await Fill(stand, 2);
        await using var reader = await stand.Log.BeginAsync(P, StreamKind.Live, 2, default);
        Assert.True(await Wait(stand, reader));
        Assert.True(reader.TryRead(out var message));

        var same = await stand.Log.ReadAsync(P, StreamKind.Live, 2, default);

        Assert.Equal((same!.Gateway, same.MessageId, same.Sequence, same.StoredAtNanos),
            (message.Gateway, message.MessageId, message.Sequence, message.StoredAtNanos));
        Assert.Equal(("m2", 2), (message.MessageId, message.Data.Span[0]));
    });

    [Fact]
    public Task Reader_at_the_end_waits_for_what_comes() => RunAsync(async stand =>
    {
        await Fill(stand, 2);
        await using var reader = await stand.Log.BeginAsync(P, StreamKind.Live, 3, default);
        var waiting = reader.WaitAsync(default).AsTask();
        await Task.Delay(TimeSpan.FromMilliseconds(200), stand.Time);
        Assert.False(waiting.IsCompleted);
        Assert.False(reader.TryRead(out _));

        await Append(stand, 3);

        Assert.True(await waiting.WaitAsync(TimeSpan.FromSeconds(20), stand.Time));
        Assert.Equal([3], await Take(stand, reader, 1));
    });

    [Fact]
    public Task Reader_of_an_empty_stream_waits_for_what_comes() => RunAsync(async stand =>
    {
        await using var reader = await stand.Log.BeginAsync(P, StreamKind.Backlog, 1, default);
        await Append(stand, 1, StreamKind.Backlog);

        Assert.Equal([1], await Take(stand, reader, 1));
    });

    [Fact]
    public Task Reader_from_beyond_the_end_waits_and_ends_when_an_earlier_message_comes() => RunAsync(async stand =>
    {
        await Fill(stand, 2);
        await using var reader = await stand.Log.BeginAsync(P, StreamKind.Live, 10, default);
        var waiting = reader.WaitAsync(default).AsTask();
        await Task.Delay(TimeSpan.FromMilliseconds(200), stand.Time);
        Assert.False(waiting.IsCompleted);

        await Append(stand, 3);

        Assert.False(await waiting.WaitAsync(TimeSpan.FromSeconds(20), stand.Time));
        Assert.NotNull(reader.End);
    });

    [Fact]
    public Task Cancelled_wait_loses_nothing() => RunAsync(async stand =>
    {
        await using var reader = await stand.Log.BeginAsync(P, StreamKind.Live, 1, default);
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(50), stand.Time);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reader.WaitAsync(stop.Token).AsTask());

        await Fill(stand, 2);

        Assert.Equal([1, 2], await Take(stand, reader, 2));
    });

    [Fact]
    public Task Long_stream_is_read_in_order_to_its_end() => RunAsync(async stand =>
    {
        await Fill(stand, 3000);
        await using var reader = await stand.Log.BeginAsync(P, StreamKind.Live, 1, default);

        Assert.Equal(Range(1, 3000), await Take(stand, reader, 3000));
        Assert.Null(reader.End);
    });

    [Fact]
    public Task Reader_never_hands_out_a_jump_but_ends_before_it() => RunAsync(async stand =>
    {
        await Fill(stand, 3000);
        await using var reader = await stand.Log.BeginAsync(P, StreamKind.Live, 1, default);
        Assert.Equal([1], await Take(stand, reader, 1));

        await stand.Log.PurgeAsync(P, StreamKind.Live, 2990, default);
        var rest = await TakeAll(stand, reader);

        Assert.Equal(Range(2, rest.Count + 1), rest);
        Assert.InRange(rest.Count, 0, 2900);
        Assert.NotNull(reader.End);
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task Reader_ends_when_its_stream_is_gone(bool madeAnew) => RunAsync(async stand =>
    {
        await Fill(stand, 2);
        await using var reader = await stand.Log.BeginAsync(P, StreamKind.Live, 1, default);
        await Take(stand, reader, 2);

        await stand.WipeAsync(P);
        if (madeAnew)
        {
            await stand.Log.EnsureStreamsAsync(P, default);
            await Fill(stand, 5);
        }

        Assert.Empty(await TakeAll(stand, reader));
        Assert.NotNull(reader.End);
    });

    [Fact]
    public Task Reader_ends_when_the_link_breaks_and_a_new_one_goes_on() => RunAsync(async stand =>
    {
        await Fill(stand, 2);
        await using var reader = await stand.Log.BeginAsync(P, StreamKind.Live, 1, default);
        await Take(stand, reader, 2);

        await stand.BreakLinkAsync();

        Assert.Empty(await TakeAll(stand, reader));
        Assert.NotNull(reader.End);
        await using var next = await Begin(stand, 2);
        Assert.Equal([2], await Take(stand, next, 1));
    });

    [Fact]
    public Task Reader_of_no_stream_does_not_begin() => RunAsync(stand =>
        Assert.ThrowsAsync<FrameLogException>(() => stand.Log.BeginAsync(P + 1, StreamKind.Live, 1, default).AsTask()));

    [Fact]
    public Task Two_readers_of_one_stream_do_not_take_from_each_other() => RunAsync(async stand =>
    {
        await Fill(stand, 3);
        await using var one = await stand.Log.BeginAsync(P, StreamKind.Live, 1, default);
        await using var other = await stand.Log.BeginAsync(P, StreamKind.Live, 1, default);

        Assert.Equal([1, 2, 3], await Take(stand, one, 3));
        Assert.Equal([1, 2, 3], await Take(stand, other, 3));
    });

    private Task RunAsync(Func<FrameLogStand, Task> test) => RunAsync(FrameLogStandOptions.Ordinary, test);

    private static Task Fill(FrameLogStand stand, int count) =>
        Task.WhenAll(Enumerable.Range(1, count).Select(i => Append(stand, i)));

    private static Task Append(FrameLogStand stand, int number, StreamKind stream = StreamKind.Live) =>
        stand.Log.AppendAsync(P, stream, G, $"m{number}", new[] { (byte)number }, default).AsTask();

    private static List<long> Range(long first, long last) =>
        [.. Enumerable.Range((int)first, (int)(last - first + 1)).Select(i => (long)i)];

    private static Task<bool> Wait(FrameLogStand stand, IFrameLogReader reader) =>
        reader.WaitAsync(default).AsTask().WaitAsync(TimeSpan.FromSeconds(30), stand.Time);

    private static async Task<List<long>> Take(FrameLogStand stand, IFrameLogReader reader, int count)
    {
        var sequences = new List<long>();
        while (sequences.Count < count)
        {
            Assert.True(await Wait(stand, reader), $"ended after {sequences.Count} of {count}: {reader.End}");
            while (sequences.Count < count && reader.TryRead(out var message))
            {
                sequences.Add(message.Sequence);
            }
        }

        return sequences;
    }

    private static async Task<List<long>> TakeAll(FrameLogStand stand, IFrameLogReader reader)
    {
        var sequences = new List<long>();
        while (await Wait(stand, reader))
        {
            while (reader.TryRead(out var message))
            {
                sequences.Add(message.Sequence);
            }
        }

        return sequences;
    }

    private static async Task<IFrameLogReader> Begin(FrameLogStand stand, long from)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await stand.Log.BeginAsync(P, StreamKind.Live, from, default);
            }
            catch (FrameLogException) when (attempt < 100)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), stand.Time);
            }
        }
    }
}
