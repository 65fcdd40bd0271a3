using Telemetry.Processing.Alerts.Evaluation;
using Telemetry.Processing.Alerts.Rules;
using Telemetry.Storage.Alerts;
using Telemetry.Tests.Model;

namespace Telemetry.Tests.Processing.Alerts.Evaluation;

public sealed class AlertWatchTests
{
    private static readonly AlertStateId Id = new(Samples.Gateway, "hot", new(42, 42));

    [Theory]
    [InlineData("10 11 11 4 11", ".F.RF")]
    [InlineData("11 8 6 5 8 11", "F..R.F")]
    [InlineData("10 10.5 5.000001 5", ".F.R")]
    public void Above_fires_beyond_the_threshold_and_resolves_at_its_clear_value(string values, string changes) =>
        Assert.Equal(changes, Changes(SampleRules.Hot(), values));

    [Theory]
    [InlineData("10 9 11 14 15 9", ".F..RF")]
    public void Below_is_the_mirror_of_above(string values, string changes) =>
        Assert.Equal(changes, Changes(SampleRules.Hot() with { Side = AlertSide.Below, Clear = 15 }, values));

    [Fact]
    public void Without_hysteresis_it_resolves_at_the_threshold() =>
        Assert.Equal("F.R", Changes(SampleRules.Hot() with { Clear = 10 }, "11 11 10"));

    [Theory]
    [InlineData("11 11 11 11 11", "...F.")]
    [InlineData("11 11 10 11 11 11 11", "......F")]
    [InlineData("11 11 11 8 11", ".....")]
    public void For_counts_event_time_from_the_first_reading_that_meets_without_a_break(
        string values, string changes) =>
        Assert.Equal(changes, Changes(SampleRules.Hot() with { For = TimeSpan.FromSeconds(3) }, values));

    [Fact]
    public void Infinity_lies_beyond_every_threshold() =>
        Assert.Equal("FR", Changes(SampleRules.Hot(), "∞ -∞"));

    [Fact]
    public void Instance_is_named_by_when_its_condition_began()
    {
        var watch = new AlertWatch(SampleRules.Hot() with { For = TimeSpan.FromSeconds(1) }, Id);
        watch.Take(5_000_000, 11);
        watch.Take(6_000_000, 11);

        Assert.Equal(5_000_000, watch.StartedMicros);
        Assert.Equal(AlertIds.Instance("hot", new(42, 42), 5_000_000), watch.Instance);
    }

    [Fact]
    public void State_comes_back_from_its_row()
    {
        var rule = SampleRules.Hot() with { For = TimeSpan.FromSeconds(2) };
        var before = new AlertWatch(rule, Id);
        var changes = "";
        for (var i = 0; i < 9; i++)
        {
            before.Take(i * 1_000_000, i == 5 ? 0 : 11);
            var after = new AlertWatch(rule, Id);
            after.Load(before.Write());
            Assert.False(before.Changed);
            Assert.Equal(before.Write(), after.Write());
            before = after;
            changes += before.Write().State.Phase.ToString()[0];
        }

        Assert.Equal("PPFFFQPPF", changes);
    }

    [Theory]
    [InlineData(50, 9, 20)]
    [InlineData(15, 14, 20)]
    [InlineData(21, null, null)]
    public void Gap_begins_where_readings_are_whole_and_ends_if_they_are_not(int wholeSince, int? from, int? to)
    {
        var watch = new AlertWatch(SampleRules.Hot(), Id);
        watch.Take(30, 1);
        watch.Miss(20);
        watch.Miss(wholeSince == 50 ? 10 : 5);

        Assert.Equal(from is not null, watch.KeepGapFrom(wholeSince == 50 ? 3 : wholeSince));
        Assert.Equal((from, to), ((int?)watch.Gap?.FromMicros, (int?)watch.Gap?.ToMicros));
    }

    [Fact]
    public void Changed_rule_judges_an_open_instance_by_its_new_words()
    {
        var watch = new AlertWatch(SampleRules.Hot(), Id);
        watch.Take(1, 11);
        var instance = watch.Instance;
        var changed = new AlertWatch(SampleRules.Hot() with { Threshold = 100, Clear = 8 }, Id);
        changed.Load(watch.Write());

        Assert.Equal(AlertChange.None, changed.Take(2, 9));
        Assert.Equal(AlertChange.Resolved, changed.Take(3, 8));
        Assert.Equal(instance, changed.Instance);
        Assert.Equal(AlertChange.None, changed.Take(4, 99));
    }

    [Fact]
    public void What_was_pending_under_other_words_is_not_pending_any_more()
    {
        var rule = SampleRules.Hot() with { For = TimeSpan.FromSeconds(2) };
        var watch = new AlertWatch(rule, Id);
        watch.Take(0, 11);
        var changed = new AlertWatch(rule with { Severity = "info" }, Id);
        changed.Load(watch.Write());

        Assert.Equal(AlertChange.None, changed.Take(3_000_000, 11));
        Assert.Equal(AlertChange.Fired, changed.Take(5_000_000, 11));
    }

    private static string Changes(AlertRule rule, string values)
    {
        var watch = new AlertWatch(rule, Id);
        return string.Concat(values.Split(' ').Select((value, i) => watch.Take(
            i * 1_000_000,
            value switch
            {
                "∞" => double.PositiveInfinity,
                "-∞" => double.NegativeInfinity,
                _ => double.Parse(value, System.Globalization.CultureInfo.InvariantCulture),
            }) switch
        {
            AlertChange.Fired => 'F',
            AlertChange.Resolved => 'R',
            _ => '.',
        }));
    }
}
