using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Tracing;
using Telemetry.Model.Wire;
using Telemetry.Processing.Alerts.Evaluation;
using Telemetry.Storage;
using Telemetry.Storage.Alerts;
using Telemetry.TestKit.Bytes;
using Telemetry.Tests.Model;

namespace Telemetry.Tests.Processing.Alerts;

/// <summary>Alert rules inside the real processor.</summary>
public sealed class AlertProcessingTests
{
    private const long Second = 1_000_000;

    [Fact]
    public void Transition_stands_in_the_outbox_with_the_readings_that_made_it()
    {
        var rig = ProcessorRig.WithSchema(SampleRules.With(SampleRules.Hot()));
        var seen = new List<(int Readings, int Alerts)>();
        rig.Store.Refuses = commit =>
        {
            seen.Add((commit.Readings.Count, commit.AlertOutbox.Count));
            return null;
        };
        var start = rig.NowMicros;

        rig.Give(Temperatures(1, start, 9, 11, 12, 5));

        Assert.Contains((4, 2), seen);
        var (firing, resolved) = (rig.Alerts[0], rig.Alerts[1]);
        Assert.Equal(2, rig.Alerts.Length);
        Assert.Equal((AlertKind.Firing, 11.0, 10.0), (firing.Kind, firing.Value, firing.Threshold));
        Assert.Equal((AlertKind.Resolved, 5.0, 5.0), (resolved.Kind, resolved.Value, resolved.Threshold));
        Assert.Equal((start + Second, start + Second), (firing.TimeMicros, firing.StartedMicros));
        Assert.Equal((start + 3 * Second, start + Second), (resolved.TimeMicros, resolved.StartedMicros));
        Assert.Equal(firing.Instance, resolved.Instance);
        Assert.Equal(
            ("hot", "critical", "gw-1", "pump", "temperature"), (firing.Rule, firing.Severity, firing.Gateway,
                firing.Device, firing.Metric));
        var key = new FrameKey(ProcessorRig.Epoch, Lane.Live, 1, 4);
        Assert.Equal($"gw-1/{key}", firing.Frame);
        Assert.Equal(FrameTrace.Of(ProcessorRig.Gateway, key).TraceParent, firing.TraceParent);
        var state = Assert.Single(rig.AlertStates);
        Assert.Equal((AlertPhase.Quiet, start + 3 * Second), (state.State.Phase, state.State.TimeMicros));
        Assert.Equal(
            (1, 1, 0), (rig.Counters.Alerts.Firing, rig.Counters.Alerts.Resolved, rig.Counters.Alerts.OlderFrames));
    }

    [Fact]
    public void Numbers_are_dense_and_chained_over_frames_and_the_partition_knows_the_last()
    {
        var rig = ProcessorRig.WithSchema(SampleRules.With(SampleRules.Hot()));
        var start = rig.NowMicros;
        rig.Give(Temperatures(1, start, 11, 5, 11), Temperatures(4, start + 10 * Second, 5));
        rig.Give(Temperatures(5, start + 20 * Second, 11, 5));

        var head = AlertHead.None;
        foreach (var row in rig.AlertOutbox)
        {
            head = head.Next(row.Json.Span);
            Assert.Equal(head, row.Head);
            Assert.Equal(AlertTransition.FromJson(row.Json.Span).Id, row.Id);
        }

        Assert.Equal(6, head.Number);
        Assert.Equal(head, rig.Store.Content.Partitions[0].Row.Alerts);
        Assert.Equal(6, rig.AlertOutbox.Select(r => r.Id).Distinct().Count());
    }

    [Fact]
    public void Frame_that_comes_twice_alerts_once()
    {
        var rig = ProcessorRig.WithSchema(SampleRules.With(SampleRules.Hot()));
        var frame = Temperatures(1, rig.NowMicros, 11, 5);

        rig.Give(frame, frame);
        rig.Give(frame);

        Assert.Equal(2, rig.Alerts.Length);
        Assert.Equal(0, rig.Counters.Alerts.OlderFrames);
    }

    [Fact]
    public void Same_log_gives_the_same_bytes()
    {
        var (a, b) = (Run(), Run());

        Assert.Equal(4, a.Length);
        Assert.Equal(a, b);

        static string[] Run()
        {
            var rig = ProcessorRig.WithSchema(SampleRules.With(SampleRules.Hot()));
            rig.Give(Temperatures(1, rig.NowMicros, 11, 5), Temperatures(3, rig.NowMicros + 5 * Second, 12, 4));
            return [.. rig.AlertOutbox.Select(r => $"{r.Head.Chain:x32} {r.Id}")];
        }
    }

    [Fact]
    public void Transaction_that_failed_leaves_no_trace_in_states_and_numbers()
    {
        var rig = ProcessorRig.WithSchema(SampleRules.With(SampleRules.Hot()));
        var start = rig.NowMicros;
        rig.Store.Calls.LosesRequest = call => call == "commit";
        rig.Give(Temperatures(1, start, 11, 5, 11));
        Assert.Empty(rig.AlertOutbox);

        rig.Store.Calls.LosesRequest = _ => false;
        rig.Give();

        Assert.Equal([1L, 2, 3], rig.AlertOutbox.Select(r => r.Head.Number));
        Assert.Equal([AlertKind.Firing, AlertKind.Resolved, AlertKind.Firing], rig.Alerts.Select(a => a.Kind));
        Assert.Equal(2, rig.Counters.Alerts.Firing);
    }

    [Fact]
    public void Answer_lost_after_the_commit_alerts_once()
    {
        var rig = ProcessorRig.WithSchema(SampleRules.With(SampleRules.Hot()));
        var lost = 0;
        rig.Store.Calls.LosesAnswer = call => call == "commit" && lost++ < 3;

        rig.Give(Temperatures(1, rig.NowMicros, 11, 5));

        Assert.True(lost > 3);
        Assert.Equal([1L, 2], rig.AlertOutbox.Select(r => r.Head.Number));
    }

    [Fact]
    public void Poison_frame_alerts_nobody_and_those_around_it_do()
    {
        var rig = ProcessorRig.WithSchema(SampleRules.With(SampleRules.Hot()));
        var start = rig.NowMicros;
        var poison = new ReadingBatch();
        poison.Add(0, start + 5 * Second, 50.0);
        poison.Add(1, start, 7ul);
        rig.Store.Refuses = commit => commit.Frames.Exists(f => f.Key.First == 2) ? "22P02" : null;

        rig.Give(Temperatures(1, start, 3), ProcessorRig.Frame(2, poison), Temperatures(4, start + 9 * Second, 11));

        Assert.Equal(11.0, Assert.Single(rig.Alerts).Value);
        Assert.Equal(1, rig.AlertOutbox[0].Head.Number);
        Assert.Equal(2, rig.Books.Rejected);
    }

    [Fact]
    public void Rejected_reading_of_a_stored_frame_alerts_nobody()
    {
        var rig = ProcessorRig.WithSchema(SampleRules.With(SampleRules.Hot()));
        var batch = new ReadingBatch();
        batch.Add(0, rig.NowMicros, 1.0);
        batch.Add(0, WireReader.TimeMax + 1, 50.0);

        rig.Give(ProcessorRig.Frame(1, batch));

        Assert.Empty(rig.Alerts);
        Assert.Equal(1, rig.Books.Rejected);
    }

    [Fact]
    public void Older_frame_leaves_the_state_untouched_until_the_watermark_has_passed_and_is_counted()
    {
        var rig = ProcessorRig.WithSchema(SampleRules.With(SampleRules.Hot()));
        var start = rig.NowMicros;
        rig.Give(Temperatures(1, start, 11));
        var state = Assert.Single(rig.AlertStates);

        rig.Give(Temperatures(2, start - 10 * Second, 1, 50, 1));

        Assert.Single(rig.Alerts);
        var gap = new AlertGap(start - 10 * Second - 1, start - 8 * Second, null);
        Assert.Equal(state with { Gap = gap }, Assert.Single(rig.AlertStates));
        Assert.Equal((1, 3), (rig.Counters.Alerts.OlderFrames, rig.Counters.Alerts.OlderReadings));
        Assert.Equal(4, rig.Readings.Length);
    }

    [Fact]
    public void Of_a_frame_that_is_older_in_part_the_newer_readings_count()
    {
        var rig = ProcessorRig.WithSchema(SampleRules.With(SampleRules.Hot()));
        var start = rig.NowMicros;
        rig.Give(Temperatures(1, start, 11));

        rig.Give(Temperatures(2, start - Second, 1, 1, 3));

        Assert.Equal([AlertKind.Firing, AlertKind.Resolved], rig.Alerts.Select(a => a.Kind));
        Assert.Equal(3.0, rig.Alerts[1].Value);
        Assert.Equal((1, 2), (rig.Counters.Alerts.OlderFrames, rig.Counters.Alerts.OlderReadings));
    }

    [Fact]
    public void Reading_dated_far_ahead_silences_nobody_and_is_counted()
    {
        var rig = ProcessorRig.WithSchema(SampleRules.With(SampleRules.Hot()));
        var start = rig.NowMicros;

        rig.Give(
            Temperatures(1, start + 900 * Second, 50), Temperatures(2, start, 11),
            Temperatures(3, start + 300 * Second, 5));

        Assert.Equal([11.0, 5.0], rig.Alerts.Select(a => a.Value));
        Assert.Equal((1, 0), (rig.Counters.Alerts.AheadReadings, rig.Counters.Alerts.OlderReadings));
        Assert.Equal(3, rig.Readings.Length);
    }

    [Fact]
    public void Null_bad_and_NaN_readings_say_nothing_and_uncertain_ones_count()
    {
        var rig = ProcessorRig.WithSchema(SampleRules.With(SampleRules.Hot()));
        var start = rig.NowMicros;
        var batch = new ReadingBatch();
        batch.Add(0, start, Bits(50), (ReadingFlags)Quality.Bad);
        batch.Add(0, start + 1, 0, ReadingFlags.Null);
        batch.Add(0, start + 2, double.NaN);
        batch.Add(0, start + 3, Bits(11), (ReadingFlags)Quality.Uncertain);
        batch.Add(0, start + 4, double.NaN);
        batch.Add(0, start + 5, Bits(1), (ReadingFlags)Quality.Bad);

        rig.Give(ProcessorRig.Frame(1, batch));

        Assert.Equal(start + 3, Assert.Single(rig.Alerts).TimeMicros);
        Assert.Equal(start + 3, Assert.Single(rig.AlertStates).State.TimeMicros);

        static ulong Bits(double value) => BitConverter.DoubleToUInt64Bits(value);
    }

    [Fact]
    public void Integers_and_bools_are_judged_as_numbers_and_text_never()
    {
        var any = SampleRules.Hot("*") with { Threshold = 0.5, Clear = 0 };
        var rig = ProcessorRig.WithSchema(SampleRules.With(any));
        var batch = new ReadingBatch();
        batch.Add(1, rig.NowMicros, unchecked((ulong)-5L));
        batch.Add(1, rig.NowMicros + 1, 5);
        batch.Add(2, rig.NowMicros, ulong.MaxValue);
        batch.Add(3, rig.NowMicros, 1);
        batch.AddText(4, rig.NowMicros, "9");

        rig.Give(ProcessorRig.Frame(1, batch));

        Assert.Equal([5.0, 18446744073709551616.0, 1.0], rig.Alerts.Select(a => a.Value));
        Assert.Equal(["starts", "total", "open"], rig.Alerts.Select(a => a.Metric));
        Assert.Equal(new Dictionary<string, string> { ["a"] = "1", ["b"] = "" }, rig.Alerts[2].Labels);
    }

    [Theory]
    [InlineData(-60, false)]
    [InlineData(-3600, true)]
    public void Transition_whose_reading_was_long_under_way_is_late(int seconds, bool late)
    {
        var rig = ProcessorRig.WithSchema(SampleRules.With(SampleRules.Hot() with { Late = TimeSpan.FromMinutes(5) }));

        rig.Give(Temperatures(1, rig.NowMicros + seconds * Second, 11));

        var alert = Assert.Single(rig.Alerts);
        Assert.Equal(late, alert.Late);
        Assert.InRange(alert.DetectionDelayMicros, -seconds * Second, (-seconds + 1) * Second);
        Assert.Equal(late ? 1 : 0, rig.Counters.Alerts.Late);
    }

    [Theory]
    [InlineData(11, 1, "FRFRFR", 14, AlertPhase.Quiet)]
    [InlineData(1, 11, "FRFRFRF", 12, AlertPhase.Firing)]
    public void Flapping_frame_publishes_the_first_instances_and_the_last_state(
        double even, double odd, string published, int suppressed, AlertPhase last)
    {
        var options = SampleRules.With(SampleRules.Hot());
        var rig = ProcessorRig.WithSchema(options with { Alerts = options.Alerts with { InstancesPerFrameMax = 3 } });
        var values = Enumerable.Range(0, 20).Select(i => i % 2 == 0 ? even : odd).ToArray();

        rig.Give(Temperatures(1, rig.NowMicros, values));

        Assert.Equal(published, string.Concat(rig.Alerts.Select(a => a.Kind == AlertKind.Firing ? 'F' : 'R')));
        Assert.Equal(suppressed, rig.Counters.Alerts.Suppressed);
        Assert.Equal(last, Assert.Single(rig.AlertStates).State.Phase);
    }

    [Fact]
    public void Pairs_beyond_the_limit_are_counted_and_the_others_watched()
    {
        var options = SampleRules.With(SampleRules.Hot("*"));
        var rig = ProcessorRig.WithSchema(options with { Alerts = options.Alerts with { WatchesMax = 2 } });
        var batch = new ReadingBatch();
        for (var series = 0; series < 4; series++)
        {
            batch.Add(series, rig.NowMicros, series == 0 ? BitConverter.DoubleToUInt64Bits(11) : 11);
        }

        rig.Give(ProcessorRig.Frame(1, batch));

        Assert.Equal(["temperature", "starts"], rig.Alerts.Select(a => a.Metric));
        Assert.Equal(2, rig.Counters.Alerts.Unwatched);
    }

    [Fact]
    public void State_of_a_rule_that_is_gone_goes_unless_an_instance_is_open()
    {
        var (hot, gone) = (SampleRules.Hot(), SampleRules.Hot() with { Name = "gone" });
        var open = gone with { Name = "open", Threshold = 0, Clear = -1 };
        var before = ProcessorRig.WithSchema(SampleRules.With(hot, gone, open));
        before.Give(Temperatures(1, before.NowMicros, 3));
        Assert.Equal(["gone", "hot", "open"], before.AlertStates.Select(s => s.Id.Rule).Order());

        var after = new ProcessorRig(SampleRules.With(hot));
        after.Store.Content = before.Store.Content with { Partitions = after.Store.Content.Partitions };
        after.Give(Temperatures(2, after.NowMicros + 100 * Second, 4));

        Assert.Equal(["hot", "open"], after.AlertStates.Select(s => s.Id.Rule).Order());
    }

    [Fact]
    public void Readings_that_no_rule_watches_cost_no_memory()
    {
        var options = SampleRules.With(SampleRules.Hot()).Alerts;
        var evaluator = new AlertEvaluator(options, new AlertCounters(), NullLogger.Instance);
        var alerts = new GatewayAlerts(new GatewayRecord(null, Samples.Gateway, [], [], [], [], []));
        var series = Samples.Series();
        Assert.Equal(0, AllocatedBytes.Of(Take));
        Assert.Empty(evaluator.Transitions);

        void Take()
        {
            evaluator.Begin(Samples.Gateway, alerts, series, new FrameKey(1, Lane.Live, 1, 1), default);
            for (var i = 0; i < 1000; i++)
            {
                evaluator.Take(1, MetricType.Int, i, ReadingFlags.None, 50);
                evaluator.Take(0, MetricType.Float, i, ReadingFlags.None, 0);
            }

            evaluator.End();
        }
    }

    /// <summary>A frame of temperatures, one a second.</summary>
    private static byte[] Temperatures(long first, long startMicros, params double[] values)
    {
        var batch = new ReadingBatch();
        for (var i = 0; i < values.Length; i++)
        {
            batch.Add(0, startMicros + i * Second, values[i]);
        }

        return ProcessorRig.Frame(first, batch);
    }
}
