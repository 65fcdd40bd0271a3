using System.Text;
using Telemetry.Nats;

namespace Telemetry.Tests.Nats;

public sealed class NatsHeadersTests
{
    [Theory]
    [InlineData("A\r\nB", "x")]
    [InlineData("A:B", "x")]
    [InlineData("A B", "x")]
    [InlineData("Ä", "x")]
    [InlineData("A", "x\r\nPUB a 0")]
    [InlineData("A", "x\n")]
    public void A_header_that_could_break_out_of_its_line_is_refused(string name, string value) =>
        Assert.Throws<ArgumentException>(() => new NatsHeaders().Add(name, value));

    [Theory]
    [InlineData("")]
    [InlineData("NATS/1.0")]
    [InlineData("NATS/1.0\r\n")]
    [InlineData("NATS/1.0\r\nA: b\r\n")]
    [InlineData("HTTP/1.1\r\n\r\n")]
    [InlineData("NATS/1.0\r\nA\r\n\r\n")]
    [InlineData("NATS/1.0\r\n: b\r\n\r\n")]
    [InlineData("NATS/1.0\r\n\r\nA: b\r\n\r\n")]
    [InlineData("NATS/1.0 5x3\r\n\r\n")]
    public void A_malformed_block_is_a_protocol_exception(string block) =>
        Assert.Throws<NatsProtocolException>(() => NatsHeaders.Read(Encoding.UTF8.GetBytes(block)));

    [Theory]
    [InlineData("NATS/1.0\r\n\r\n", 0, "")]
    [InlineData("NATS/1.0 503\r\n\r\n", 503, "")]
    [InlineData("NATS/1.0 100 Idle Heartbeat\r\n\r\n", 100, "Idle Heartbeat")]
    [InlineData("NATS/1.0   409   Consumer Deleted  \r\nA:b\r\n\r\n", 409, "Consumer Deleted")]
    public void The_status_line_is_read(string block, int status, string description)
    {
        var read = new NatsHeaderBlock(Encoding.UTF8.GetBytes(block));
        Assert.Equal(status, read.Status);
        Assert.Equal(description, Encoding.UTF8.GetString(read.Description));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a\r\nPUB x 0")]
    [InlineData(".a")]
    [InlineData("a.")]
    [InlineData("a..b")]
    [InlineData("a.ä")]
    [InlineData("a.*")]
    [InlineData("a.>")]
    public void A_subject_that_is_none_is_refused_for_publishing(string subject) =>
        Assert.ThrowsAny<ArgumentException>(() => NatsSubjects.CheckPublish(subject));

    [Fact]
    public void A_subject_beyond_its_limit_is_refused()
    {
        NatsSubjects.CheckPublish(new string('a', NatsSubjects.BytesMax));
        Assert.Throws<ArgumentException>(() => NatsSubjects.CheckPublish(new string('a', NatsSubjects.BytesMax + 1)));
    }
}
