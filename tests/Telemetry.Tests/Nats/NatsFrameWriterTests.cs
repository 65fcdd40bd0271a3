using System.Buffers;
using System.Text;
using Telemetry.Nats;

namespace Telemetry.Tests.Nats;

public sealed class NatsFrameWriterTests
{
    private static string Written(Action<IBufferWriter<byte>> write)
    {
        var output = new ArrayBufferWriter<byte>();
        write(output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    private static NatsPublish Publish(string payload) =>
        new() { Subject = "a.b", Payload = Encoding.UTF8.GetBytes(payload) };

    [Fact]
    public void Control_lines_are_as_the_protocol_says()
    {
        Assert.Equal("CONNECT {}\r\n", Written(o => NatsFrameWriter.WriteConnect(o, "{}"u8)));
        Assert.Equal("PING\r\n", Written(NatsFrameWriter.WritePing));
        Assert.Equal("PONG\r\n", Written(NatsFrameWriter.WritePong));
        Assert.Equal("SUB a.* 7\r\n", Written(o => NatsFrameWriter.WriteSubscribe(o, "a.*", null, 7)));
        Assert.Equal("SUB a.> g 8\r\n", Written(o => NatsFrameWriter.WriteSubscribe(o, "a.>", "g", 8)));
        Assert.Equal("UNSUB 9\r\n", Written(o => NatsFrameWriter.WriteUnsubscribe(o, 9)));
    }

    [Fact]
    public void A_publish_without_headers_is_PUB()
    {
        Assert.Equal("PUB a.b 5\r\nhello\r\n", Written(o => NatsFrameWriter.WritePublish(o, Publish("hello"))));
        Assert.Equal("PUB a.b 0\r\n\r\n", Written(o => NatsFrameWriter.WritePublish(o, Publish(""))));
        Assert.Equal(
            "PUB a.b r.x 1\r\n1\r\n",
            Written(o => NatsFrameWriter.WritePublish(o, Publish("1") with { ReplyTo = "r.x" })));
        Assert.Equal(
            "PUB a.b r.42 1\r\n1\r\n",
            Written(o => NatsFrameWriter.WritePublish(o, Publish("1") with { ReplyTo = "r.", ReplyToken = 42 })));
    }

    [Fact]
    public void A_publish_with_headers_is_HPUB_with_both_sizes()
    {
        var publish = Publish("hi") with
        {
            ReplyTo = "r",
            MessageId = "ä1",
            Headers = new NatsHeaders().Add("K", "v w").Add("K", ""),
        };
        const string Block = "NATS/1.0\r\nNats-Msg-Id: ä1\r\nK: v w\r\nK: \r\n\r\n";
        var size = Encoding.UTF8.GetByteCount(Block);

        Assert.Equal(
            $"HPUB a.b r {size} {size + 2}\r\n{Block}hi\r\n",
            Written(o => NatsFrameWriter.WritePublish(o, publish)));
        Assert.Equal(size, publish.HeaderBytes);
        Assert.Equal(size + 2, publish.SizeBytes);
    }

    [Fact]
    public void The_bound_of_a_publish_holds_for_the_longest_fields()
    {
        var publish = Publish("x") with
        {
            ReplyTo = "r.",
            ReplyToken = (ulong)long.MaxValue,
            MessageId = new string('m', 300),
        };
        Assert.InRange(Written(o => NatsFrameWriter.WritePublish(o, publish)).Length, 1, publish.WireBytesMax);
    }

    [Fact]
    public void What_is_written_as_headers_reads_back_equal()
    {
        var headers = new NatsHeaders().Add("A", "1").Add("b", "two words").Add("A", "ü:;").Add("E", "");
        var wire = Written(o => NatsFrameWriter.WritePublish(o, Publish("") with { Headers = headers }));
        var block = wire[(wire.IndexOf('\n', StringComparison.Ordinal) + 1)..^2];

        Assert.Equal(
            (IEnumerable<KeyValuePair<string, string>>)headers, NatsHeaders.Read(Encoding.UTF8.GetBytes(block)));
    }
}
