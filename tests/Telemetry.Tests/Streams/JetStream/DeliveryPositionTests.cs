using Telemetry.Streams.JetStream;

namespace Telemetry.Tests.Streams.JetStream;

public sealed class DeliveryPositionTests
{
    [Theory]
    [InlineData("$JS.ACK.S.C.1.22.3.1795264700858862471.5")]
    [InlineData("$JS.ACK.dom.hash.S.C.1.22.3.1795264700858862471.5")]
    [InlineData("$JS.ACK._.hash.S.C.1.22.3.1795264700858862471.5.rnd")]
    public void A_delivery_position_is_read_from_either_form(string replyTo)
    {
        Assert.True(DeliveryPosition.TryRead(replyTo, out var position));
        Assert.Equal(new(22, 3, 1795264700858862471, 5), position);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("_INBOX.a.b")]
    [InlineData("$JS.ACK.S.C.1.2.3.4")]
    [InlineData("$JS.ACK.S.C.1.2.3.4.5.6")]
    [InlineData("$JS.ACK.S.C.1.x.3.4.5")]
    [InlineData("$JS.ACK.S.C.1.2.3.4.")]
    [InlineData("$JS.ACK.S.C.1.2.3.18446744073709551615.5")]
    public void Another_reply_subject_is_no_delivery(string? replyTo) =>
        Assert.False(DeliveryPosition.TryRead(replyTo, out _));
}
