using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.TestKit.Messages;
using Telemetry.Tests.Model;
using Telemetry.Tests.Processing.Alerts;

namespace Telemetry.Tests.Processing.Intake;

public sealed class SeriesNumberTests
{
    private const string Refusal = "23514 the series violates a check";

    [Fact]
    public void Forged_series_has_the_hash_of_another_gateways_and_an_identity_of_its_own()
    {
        var series = Samples.Series().Entries[0];
        var hostile = GatewayId.Parse("hostile");

        var forged = ForgedSeries.Of(hostile, ForgedSeries.KeyOf(Samples.Gateway, series.Definition));

        Assert.Equal(
            ForgedSeries.KeyOf(Samples.Gateway, series.Definition), ForgedSeries.KeyOf(hostile, forged));
        Assert.NotEqual(series.Identity, SeriesIdentity.Of(hostile, forged));
    }

    [Fact]
    public void Series_that_the_database_refuses_holds_up_no_other()
    {
        var rig = new ProcessorRig();
        rig.Store.RefusesSeries = s => s.Definition.Metric == "starts" ? Refusal : null;
        var batch = new ReadingBatch();
        batch.Add(0, 1_000_000, 1.5);
        batch.Add(1, 1_000_001, 7ul);

        rig.Give(ProcessorRig.Schema(), ProcessorRig.Frame(1, batch), ProcessorRig.Floats(3, 2));

        Assert.Equal([1_000_000, 1_000_000, 1_000_001], rig.Readings.Select(r => r.Time));
        Assert.Equal((3, 1), (rig.Books.Stored, rig.Books.Rejected));
        Assert.Equal([(0, Refusal), (1, Refusal)], rig.DeadLetters.OrderBy(d => d.Readings).Select(d => (d.Readings,
            d.Error[^Refusal.Length..])));
        Assert.Equal(4, rig.Store.Content.Series.Count);

        // A new owner finds the series without a number.
        var after = new ProcessorRig();
        after.Store.Content = rig.Store.Content with { Partitions = after.Store.Content.Partitions };
        after.Give(ProcessorRig.Frame(5, batch));
        Assert.Equal((4, 2), (after.Books.Stored, after.Books.Rejected));
    }

    // Numbers are given in the order of registration; what leaves the database must not tell.
    [Fact]
    public void Put_back_to_before_registration_and_registered_in_another_order_all_evidence_is_the_same()
    {
        var other = SchemaMessage.Of(
            default, [new() { Device = "a", Metric = "x" }, new() { Device = "b", Metric = "y" }]);
        byte[] schema = ProcessorRig.Schema(), before = Samples.Bytes(w => other.Write(w, Lane.Live));
        var (first, second) = (Run([schema, before]), Run([before, schema]));

        Assert.NotEqual(
            first.Store.Content.Series[Samples.Series().Entries[0].Identity],
            second.Store.Content.Series[Samples.Series().Entries[0].Identity]);
        Assert.Equal(first.Frames, second.Frames);
        Assert.NotEmpty(first.Alerts);
        Assert.Equal(first.AlertOutbox.Select(r => (r.Id, r.Head)), second.AlertOutbox.Select(r => (r.Id, r.Head)));
        Assert.Equal(first.AlertStates, second.AlertStates);
        Assert.Equal(first.Drops, second.Drops);
        Assert.Equal(
            first.DeadLetters.Select(d => d with { Bytes = default }),
            second.DeadLetters.Select(d => d with { Bytes = default }));
        Assert.NotEmpty(first.DeadLetters);
    }

    private static ProcessorRig Run(byte[][] schemas)
    {
        var rig = new ProcessorRig(SampleRules.With(SampleRules.Hot()));
        rig.Give(schemas);
        var batch = new ReadingBatch();
        batch.Add(0, rig.NowMicros, 1000.0);
        batch.Add(1, rig.NowMicros + 1, 7ul);
        batch.AddText(4, rig.NowMicros, "n\0l");
        rig.Give(ProcessorRig.Frame(1, batch, new Declaration(1, 2, 5, 9, DropReason.Thinned)));
        return rig;
    }
}
