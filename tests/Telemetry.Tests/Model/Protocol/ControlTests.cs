using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;

namespace Telemetry.Tests.Model.Protocol;

public class ControlTests
{
    [Fact]
    public void A_full_hello_comes_back_as_it_was()
    {
        var bytes = Samples.Bytes(Samples.Hello().Write);
        var back = Hello.Read(bytes);

        Assert.Equal(bytes, Samples.Bytes(back.Write));
        Assert.Equal(Samples.Hello().Epochs[0].Lanes[2].Held, back.Epochs[0].Lanes[2].Held);
        Assert.True(back is { Full: true, OwnIsLast: true, Fork: "put back", Accepted: 1234 });
    }

    [Fact]
    public void A_short_hello_carries_promise_and_total_only()
    {
        var back = Hello.Read(
            Samples.Bytes((Samples.Hello() with { Full = false, Complete = null, OwnIsLast = false }).Write));

        Assert.Equal(Samples.Hello().Promise, back.Promise);
        Assert.Empty(back.Epochs);
    }

    [Fact]
    public void A_hello_that_names_an_epoch_twice_is_malformed()
    {
        var hello = Samples.Hello() with { Epochs = [.. Samples.Hello().Epochs, Samples.Hello().Epochs[0]] };

        Assert.Throws<WireFormatException>(() => Hello.Read(Samples.Bytes(hello.Write)));
    }

    [Fact]
    public void An_answer_comes_back_as_it_was()
    {
        var bytes = Samples.Bytes(Samples.Ack().Write);
        var back = StoredAck.Read(bytes);

        Assert.Equal(bytes, Samples.Bytes(back.Write));
        Assert.Equal(Samples.Ack().Epochs[0].Lanes[1].Runs, back.Epochs[0].Lanes[1].Runs);
        Assert.Equal(new HelloId(5, 6), back.InAnswerTo);
    }

    [Theory]
    [InlineData("live:12345", StreamKind.Live, 12345)]
    [InlineData("backlog:1", StreamKind.Backlog, 1)]
    public void A_receipt_is_a_text_in_the_puback(string text, StreamKind stream, long sequence)
    {
        Assert.True(Receipt.TryParse(text, out var receipt));
        Assert.Equal(new Receipt(stream, sequence), receipt);
        Assert.Equal(text, receipt.PropertyValue);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("live")]
    [InlineData("live:")]
    [InlineData("live:0")]
    [InlineData("live:-1")]
    [InlineData("other:1")]
    [InlineData("live:99999999999999999999")]
    public void What_is_no_receipt_is_not_taken_for_one(string? text) => Assert.False(Receipt.TryParse(text, out _));

    [Theory]
    [InlineData("a", true)]
    [InlineData("A-z_09", true)]
    [InlineData("", false)]
    [InlineData("a.b", false)]
    [InlineData("a/b", false)]
    [InlineData("ä", false)]
    [InlineData("a\n", false)]
    [InlineData("+", false)]
    public void A_gateway_id_has_64_plain_characters_at_most(string text, bool valid)
    {
        Assert.Equal(valid, GatewayId.TryParse(text, out _));
        Assert.True(GatewayId.TryParse(new string('x', 64), out _));
        Assert.False(GatewayId.TryParse(new string('x', 65), out _));
    }

    [Fact]
    public void A_schema_comes_back_and_names_its_chain()
    {
        var first = Samples.Schema();
        var back = SchemaMessage.Read(Samples.Bytes(w => first.Write(w, Lane.Backlog)));
        var second = SchemaMessage.Of(first.Id, [new SeriesDefinition { Device = "new", Metric = "m" }]);
        var list = Samples.Series().Extend(second);

        Assert.Equal(first.Id, back.Id);
        Assert.NotEqual(first.Id, second.Id);
        Assert.Equal(6, list.Count);
        Assert.Equal(Samples.Series().Entries[3].Identity, list.Entries[3].Identity);
        Assert.Throws<ArgumentException>(() => Samples.Series().Extend(first));
    }

    [Fact]
    public void Both_sides_agree_on_the_digest_of_complete_epochs_in_any_order()
    {
        EpochLasts[] epochs = [new(9, new LaneLasts(1, 2, 3)), new(4, default), new(5, new LaneLasts(0, 7, 0))];

        Assert.Equal(CompleteEpochs.Digest(epochs), CompleteEpochs.Digest(epochs.Reverse()));
        Assert.NotEqual(CompleteEpochs.Digest(epochs), CompleteEpochs.Digest(epochs[..2]));
        Assert.Equal(0UL, CompleteEpochs.Digest([]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(-1)]
    [InlineData(WireReader.TimeMin)]
    [InlineData(WireReader.TimeMax)]
    public void A_time_takes_seven_bytes(long micros)
    {
        var bytes = Samples.Bytes(w => w.Time(micros));
        var reader = new WireReader(bytes);

        Assert.Equal(7, bytes.Length);
        Assert.Equal(micros, reader.Time());
    }
}
