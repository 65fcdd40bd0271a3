using System.Text;
using System.Text.Json;
using Telemetry.Dashboard.Live;
using Telemetry.Storage.Fleet;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.Dashboard.Live;

public sealed class EventStreamTests
{
    private readonly SimulatedClock _clock = new();
    private readonly FleetModel _model;
    private readonly EventStream _events;
    private int _loads;

    public EventStreamTests() => (_model, _events) = (new FleetModel(_clock), new EventStream(_clock));

    [Fact]
    public void Bytes_of_an_event_are_made_once_for_all_pages()
    {
        using var one = _events.Open(10, SiteLimit.None)!;
        using var two = _events.Open(10, SiteLimit.None)!;

        Push("gw-1");

        Assert.True(one.Events.TryRead(out var first) && two.Events.TryRead(out var second)
            && ReferenceEquals(first, second));
        var text = Encoding.UTF8.GetString(first);
        Assert.StartsWith("event: fleet\ndata: {", text, StringComparison.Ordinal);
        Assert.EndsWith("}\n\n", text, StringComparison.Ordinal);
        Assert.Equal("gw-1", Json(first).GetProperty("rows")[0].GetProperty("name").GetString());
    }

    [Fact]
    public void Page_that_takes_nothing_is_told_to_read_anew()
    {
        using var slow = _events.Open(10, SiteLimit.None)!;
        for (var i = 0; i < 17; i++)
        {
            Push($"gw-{i}");
        }

        Assert.True(slow.Events.TryRead(out var bytes));
        Assert.StartsWith("event: anew\n", Encoding.UTF8.GetString(bytes), StringComparison.Ordinal);
        Assert.False(slow.Events.TryRead(out _));
    }

    [Fact]
    public void Nothing_is_said_while_nothing_changes_but_a_word_every_few_seconds()
    {
        using var page = _events.Open(10, SiteLimit.None)!;
        Push("gw-1");
        Assert.True(page.Events.TryRead(out _));

        for (var second = 1; second <= 12; second++)
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            _events.Push(_model, FeedHealth.Good);
        }

        Assert.Equal(2, page.Events.Count);
    }

    [Fact]
    public void Page_of_somebody_who_sees_one_site_gets_its_rows_and_counts_alone()
    {
        using var one = _events.Open(10, SiteLimit.Of(["gw-1"]))!;
        using var same = _events.Open(10, SiteLimit.Of(["gw-1"]))!;
        using var all = _events.Open(10, SiteLimit.None)!;
        Push("gw-1");
        Push("gw-2");
        _model.Tick(hearing: true);
        _clock.Advance(TimeSpan.FromSeconds(5));
        _events.Push(_model, FeedHealth.Good);

        var (limited, whole) = (ReadAll(one), ReadAll(all));

        Assert.Equal(["gw-1"], Names(limited));
        Assert.Equal(["gw-1", "gw-2"], Names(whole));
        Assert.Equal(1, Json(limited[^1]).GetProperty("gateways").GetInt32());
        Assert.Equal(2, Json(whole[^1]).GetProperty("gateways").GetInt32());
        Assert.True(same.Events.TryRead(out var first) && ReferenceEquals(first, limited[0]));

        static List<byte[]> ReadAll(EventStream.Viewer viewer)
        {
            var read = new List<byte[]>();
            while (viewer.Events.TryRead(out var bytes))
            {
                read.Add(bytes);
            }

            return read;
        }

        static IEnumerable<string> Names(List<byte[]> events) => events
            .SelectMany(e => Json(e).GetProperty("rows").EnumerateArray())
            .Select(r => r.GetProperty("name").GetString()!);
    }

    [Fact]
    public void Being_behind_is_said_at_once()
    {
        using var page = _events.Open(10, SiteLimit.None)!;
        Push("gw-1");
        page.Events.TryRead(out _);

        _events.Push(_model, new FeedHealth("nats", 1_000_000, "Nothing is heard."));

        Assert.True(page.Events.TryRead(out var bytes));
        var behind = Json(bytes).GetProperty("behind");
        Assert.Equal("nats 1970-01-01T00:00:01Z", $"{behind.GetProperty("what")} {behind.GetProperty("since")}");
    }

    [Fact]
    public void No_more_pages_than_allowed_get_events_and_a_closed_one_makes_room()
    {
        var one = _events.Open(1, SiteLimit.None);
        Assert.Null(_events.Open(1, SiteLimit.None));

        one!.Dispose();

        Assert.NotNull(_events.Open(1, SiteLimit.None));
    }

    [Fact]
    public void Names_with_markup_and_line_breaks_stay_in_one_line_of_data()
    {
        using var page = _events.Open(10, SiteLimit.None)!;

        Push("<script>\n\ndata: x</script>");

        Assert.True(page.Events.TryRead(out var bytes));
        var text = Encoding.UTF8.GetString(bytes);
        Assert.Equal(2, text.TrimEnd().Split('\n').Length);
        Assert.DoesNotContain("<script>", text, StringComparison.Ordinal);
    }

    private void Push(string gateway)
    {
        var snapshot = new FleetSnapshot(
            0, [new FleetPartition(0, ++_loads, "", 0)],
            [new FleetGateway { Gateway = gateway, Partition = 0, Sites = [gateway] }]);
        _model.Load(snapshot, null);
        _events.Push(_model, FeedHealth.Good);
    }

    private static JsonElement Json(byte[] bytes) => JsonDocument.Parse(
        Encoding.UTF8.GetString(bytes).Split('\n')[1]["data: ".Length..]).RootElement;
}
