using System.Text;
using Telemetry.Nats;

namespace Telemetry.Tests.Nats;

public sealed class JetStreamReadingTests
{
    [Fact]
    public void An_acknowledgement_reads_the_same_over_every_split()
    {
        var wire = """{"stream":"LIVE_3", "seq":18446744073709551615,"duplicate": true}"""u8.ToArray();
        foreach (var json in Splits.All(wire))
        {
            Assert.Equal(new("LIVE_3", ulong.MaxValue, true), PublishAckReader.Read(json));
        }

        wire = """{"type":"t","x":{"y":[1]},"seq":1,"stream":"S"}"""u8.ToArray();
        Assert.Equal(new("S", 1, false), PublishAckReader.Read(new(wire)));
    }

    [Fact]
    public void An_error_in_an_acknowledgement_carries_its_codes()
    {
        const string Wire =
            """{"error":{"code":503,"err_code":10077,"description":"maximum bytes exceeded"},"stream":"S","seq":0}""";
        var error = Assert.Throws<JetStreamException>(() => PublishAckReader.Read(new(Encoding.UTF8.GetBytes(Wire))));
        Assert.Equal(
            (503, 10077, "maximum bytes exceeded", true),
            (error.Code, error.ErrorCode, error.Description, error.IsTransient));
    }

    [Theory]
    [InlineData(400, false)]
    [InlineData(404, false)]
    [InlineData(408, true)]
    [InlineData(500, true)]
    [InlineData(503, true)]
    public void Which_errors_pass_by_themselves(int code, bool transient) =>
        Assert.Equal(transient, new JetStreamException(code, 1, "x").IsTransient);

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("""{"stream":"S"}""")]
    [InlineData("""{"stream":"S","seq":0}""")]
    [InlineData("""{"stream":"S","seq":-1}""")]
    [InlineData("""{"stream":"S","seq":"1"}""")]
    [InlineData("""{"stream":1,"seq":1}""")]
    [InlineData("""{"stream":"S","seq":1,"duplicate":1}""")]
    [InlineData("""{"error":1}""")]
    [InlineData("""{"stream":"S","seq":1""")]
    public void A_malformed_acknowledgement_is_a_protocol_exception(string json) =>
        Assert.Throws<NatsProtocolException>(() => PublishAckReader.Read(new(Encoding.UTF8.GetBytes(json))));

    [Theory]
    [InlineData("$JS.ACK.S.C.1.22.3.1795264700858862471.5")]
    [InlineData("$JS.ACK.dom.hash.S.C.1.22.3.1795264700858862471.5")]
    [InlineData("$JS.ACK._.hash.S.C.1.22.3.1795264700858862471.5.rnd")]
    public void A_delivery_position_is_read_from_either_form(string replyTo)
    {
        Assert.True(DeliveryPosition.TryRead(Encoding.ASCII.GetBytes(replyTo), out var position));
        Assert.Equal(new(22, 3, 1795264700858862471, 5), position);
    }

    [Theory]
    [InlineData("")]
    [InlineData("_INBOX.a.b")]
    [InlineData("$JS.ACK.S.C.1.2.3.4")]
    [InlineData("$JS.ACK.S.C.1.2.3.4.5.6")]
    [InlineData("$JS.ACK.S.C.1.x.3.4.5")]
    [InlineData("$JS.ACK.S.C.1.2.3.4.")]
    [InlineData("$JS.ACK.S.C.1.2.3.18446744073709551615.5")]
    public void Another_reply_subject_is_no_delivery(string replyTo) =>
        Assert.False(DeliveryPosition.TryRead(Encoding.ASCII.GetBytes(replyTo), out _));

    [Theory]
    [InlineData("1970-01-01T00:00:00Z", 0)]
    [InlineData("1970-01-01T00:00:01.5Z", 1_500_000_000)]
    [InlineData("2026-11-21T12:38:20.356050417Z", 1_795_264_700_356_050_417)]
    [InlineData("2026-11-21T14:38:20.000000001+02:00", 1_795_264_700_000_000_001)]
    public void Times_are_read_to_the_nanosecond(string text, long nanoseconds) =>
        Assert.Equal(nanoseconds, JetStreamTime.ReadNanoseconds(text));

    [Theory]
    [InlineData("x")]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("2026-11-21T12:38:20.1234567890Z")]
    public void A_time_that_is_none_is_a_protocol_exception(string? text) =>
        Assert.Throws<NatsProtocolException>(() => JetStreamTime.ReadNanoseconds(text));

    [Fact]
    public void The_servers_zero_time_is_no_time()
    {
        Assert.Null(JetStreamTime.ReadOptional("0001-01-01T00:00:00Z"));
        Assert.Null(JetStreamTime.ReadOptional(null));
    }
}
