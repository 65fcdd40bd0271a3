using Telemetry.Alerting.Relay;
using Telemetry.Alerting.Routes;
using Telemetry.Storage.Alerts;
using Xunit;
using static Telemetry.TestKit.Contracts.AlertSamples;

namespace Telemetry.TestKit.Contracts;

/// <summary>A fresh, empty sink, and what consumers see of it.</summary>
public abstract class AlertSinkStand
{
    public abstract IAlertSink Sink { get; }

    /// <summary>Ids in the topic, with the headers of their records, as a consumer of either kind reads them.</summary>
    public abstract Task<IReadOnlyList<AlertSeen>> ConsumeAsync(bool committedOnly);

    /// <summary>A topic that a route may name.</summary>
    public abstract string RouteTopic { get; }

    /// <summary>The topic of open alerts.</summary>
    public abstract string StateTopic { get; }

    /// <summary>The records of another topic, as a read_committed consumer reads them.</summary>
    public abstract Task<IReadOnlyList<AlertSeen>> ConsumeAsync(string topic);

    /// <summary>Begins a transaction, writes records, and ends without committing, like a relay that crashes.</summary>
    public abstract Task DieInTransactionAsync(IReadOnlyList<AlertRecord> records);
}

/// <summary>A record as a consumer sees it.</summary>
public sealed record AlertSeen(string Key, byte[]? Value, IReadOnlyDictionary<string, string> Headers);

/// <summary>The contract of every alert sink: Kafka, and the simulated one.</summary>
public abstract class AlertSinkContract
{
    /// <summary>Makes a fresh sink, runs the test on it, and leaves nothing behind.</summary>
    protected abstract Task RunAsync(Func<AlertSinkStand, Task> test);

    [Fact]
    public Task Fresh_sink_has_no_positions_and_no_records() => RunAsync(async stand =>
    {
        await using var producer = await stand.Sink.BeginAsync(default);

        Assert.Empty(await stand.Sink.ReadPositionsAsync(default));
        Assert.Empty(await ReadBack(stand, DateTimeOffset.UnixEpoch));
    });

    [Fact]
    public Task Published_records_come_back_as_they_were_with_the_last_positions() => RunAsync(async stand =>
    {
        var (three, zero) = (Rows(3, 12), Rows(0, 2));
        await using var producer = await stand.Sink.BeginAsync(default);
        await producer.PublishAsync([.. three.Take(5).Select(r => Record(r))], Position(three[4]), default);
        await producer.PublishAsync(
            [.. three.Skip(5).Concat(zero).Select(r => Record(r, since: 7))],
            new Dictionary<int, RelayPosition>
            {
                [3] = new(
                three[^1].Head, new(7, 9)),
                [0] = new(zero[^1].Head, new(7, 9))
            },
            default);

        var positions = await stand.Sink.ReadPositionsAsync(default);
        Assert.Equal(2, positions.Count);
        Assert.Equal(new RelayPosition(three[^1].Head, new DuplicateFilterWindow(7, 9)), positions[3]);
        Assert.Equal(new RelayPosition(zero[^1].Head, new DuplicateFilterWindow(7, 9)), positions[0]);
        var found = await ReadBack(stand, DateTimeOffset.UnixEpoch);
        foreach (var row in three.Concat(zero))
        {
            var record = Assert.Single(found, f => f.Id == row.Id);
            Assert.Equal((row.Partition, row.Head), (record.Partition, record.Head));
            Assert.Equal(row.Head.Number > 5 || row.Partition == 0 ? 7 : 0, record.SinceMillis);
            Assert.Equal(row.Json.ToArray(), record.Json.ToArray());
        }
    });

    [Fact]
    public Task Records_of_one_device_keep_their_order() => RunAsync(async stand =>
    {
        var rows = Rows(1, 60);
        await using var producer = await stand.Sink.BeginAsync(default);
        foreach (var chunk in rows.Chunk(17))
        {
            await producer.PublishAsync([.. chunk.Select(r => Record(r))], Position(chunk[^1]), default);
        }

        foreach (var device in (await stand.ConsumeAsync(committedOnly: true)).GroupBy(s => s.Key))
        {
            var numbers = device.Select(s => s.Headers["ce_sequence"]).ToList();
            Assert.Equal(numbers.Order(StringComparer.Ordinal), numbers);
        }
    });

    [Fact]
    public Task Event_is_a_cloud_event_in_binary_mode() => RunAsync(async stand =>
    {
        var row = Rows(1, 1)[0];
        await using var producer = await stand.Sink.BeginAsync(default);
        await producer.PublishAsync([Record(row)], Position(row), default);

        var seen = Assert.Single(await stand.ConsumeAsync(committedOnly: true));
        Assert.Equal("pump-1-1", seen.Key);
        Assert.Equal(row.Json.ToArray(), seen.Value);
        Assert.Equal("application/json", seen.Headers["content-type"]);
        Assert.Equal("1.0", seen.Headers["ce_specversion"]);
        Assert.Equal(row.Id, seen.Headers["ce_id"]);
        Assert.Equal("telemetry.alert.firing.v1", seen.Headers["ce_type"]);
        Assert.Equal("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", seen.Headers["ce_traceparent"]);
    });

    [Fact]
    public Task Transaction_left_open_is_seen_by_read_uncommitted_consumers_alone_and_gone_when_the_next_begins() =>
        RunAsync(async stand =>
        {
            var rows = Rows(1, 4);
            await stand.DieInTransactionAsync([Record(rows[0]), Record(rows[1])]);
            Assert.Empty(await stand.ConsumeAsync(committedOnly: true));
            Assert.Equal(2, (await stand.ConsumeAsync(committedOnly: false)).Count);

            await using var producer = await stand.Sink.BeginAsync(default);

            Assert.Empty(await stand.Sink.ReadPositionsAsync(default));
            Assert.Empty(await ReadBack(stand, DateTimeOffset.UnixEpoch));
            await producer.PublishAsync([Record(rows[2])], Position(rows[2]), default);
            Assert.Equal([rows[2].Id], Ids(await stand.ConsumeAsync(committedOnly: true)));
            Assert.Equal(3, (await stand.ConsumeAsync(committedOnly: false)).Count);
            Assert.Equal([rows[2].Id], (await ReadBack(stand, DateTimeOffset.UnixEpoch)).Select(r => r.Id));
        });

    [Fact]
    public Task Older_producer_is_fenced_by_a_younger_one_and_publishes_nothing_more() => RunAsync(async stand =>
    {
        var rows = Rows(1, 3);
        await using var old = await stand.Sink.BeginAsync(default);
        await old.PublishAsync([Record(rows[0])], Position(rows[0]), default);
        await using var young = await stand.Sink.BeginAsync(default);

        var error = await Assert.ThrowsAsync<AlertSinkException>(
            () => old.PublishAsync([Record(rows[1])], Position(rows[1]), default));

        Assert.Equal(AlertSinkFault.Fenced, error.Fault);
        await young.PublishAsync([Record(rows[2])], Position(rows[2]), default);
        Assert.Equal(
            new[] { rows[0].Id, rows[2].Id }.Order(), Ids(await stand.ConsumeAsync(committedOnly: true)).Order());
    });

    [Fact]
    public Task Copies_are_in_their_topics_with_the_headers_of_the_record() => RunAsync(async stand =>
    {
        var rows = Rows(1, 3);
        await using var producer = await stand.Sink.BeginAsync(default);
        await producer.PublishAsync(
            [.. rows.Take(2).Select(r => Record(r).For([new(stand.RouteTopic, AlertForm.Full)], stand.StateTopic)),
                Record(rows[2])],
            Position(rows[2]), default);

        var routed = await stand.ConsumeAsync(stand.RouteTopic);
        Assert.Equal(rows.Take(2).Select(r => r.Id).Order(), Ids(routed).Order());
        Assert.All(routed, r => Assert.Equal(
            rows.Single(row => row.Id == r.Headers["ce_id"]).Json.ToArray(), r.Value));
        var state = await stand.ConsumeAsync(stand.StateTopic);
        Assert.Equal(
            [(new string('1', 32), rows[0].Json.ToArray()), (new string('1', 32), null)],
            state.Select(r => (r.Key, r.Value)));
        Assert.Equal(3, (await stand.ConsumeAsync(committedOnly: true)).Count);
    });

    [Fact]
    public Task Position_may_move_without_records() => RunAsync(async stand =>
    {
        var row = Rows(1, 1)[0];
        await using var producer = await stand.Sink.BeginAsync(default);

        await producer.PublishAsync([], Position(row), default);

        Assert.Equal(row.Head, (await stand.Sink.ReadPositionsAsync(default))[1].Head);
        Assert.Empty(await stand.ConsumeAsync(committedOnly: true));
    });

    [Fact]
    public Task Reading_back_from_a_time_leaves_out_what_is_older() => RunAsync(async stand =>
    {
        var rows = Rows(1, 40);
        await using var producer = await stand.Sink.BeginAsync(default);
        await producer.PublishAsync([.. rows.Take(20).Select(r => Record(r))], Position(rows[19]), default);
        await PassTimeAsync();
        var from = Now();
        await producer.PublishAsync([.. rows.Skip(20).Select(r => Record(r))], Position(rows[39]), default);

        var found = (await ReadBack(stand, from)).Select(r => r.Id).ToHashSet();

        Assert.True(rows.Skip(20).All(r => found.Contains(r.Id)), "all that is not older is read");
        Assert.Equal(20, found.Count);
        Assert.Empty(await ReadBack(stand, Now().AddHours(1)));
    });

    /// <summary>The sink's clock.</summary>
    protected abstract DateTimeOffset Now();

    /// <summary>Waits until the clock has moved on.</summary>
    protected abstract Task PassTimeAsync();

    private static Dictionary<int, RelayPosition> Position(AlertOutboxRow row) =>
        new() { [row.Partition] = new RelayPosition(row.Head, DuplicateFilterWindow.None) };

    private static IEnumerable<string> Ids(IEnumerable<AlertSeen> seen) => seen.Select(s => s.Headers["ce_id"]);

    private static async Task<List<PublishedAlert>> ReadBack(AlertSinkStand stand, DateTimeOffset from)
    {
        var found = new List<PublishedAlert>();
        await foreach (var chunk in stand.Sink.ReadBackAsync(from, default))
        {
            found.AddRange(chunk);
        }

        return found;
    }
}
