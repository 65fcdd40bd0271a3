using System.Buffers;
using System.Text;
using Telemetry.Nats;

namespace Telemetry.Tests.Nats;

public sealed class NatsFrameReaderTests
{
    private static readonly NatsReadLimits Small = new(LineBytesMax: 64, TextLineBytesMax: 128, PayloadBytesMax: 100);

    /// <summary>Wire bytes, and what they say as one text.</summary>
    public static TheoryData<string, string> Frames => new()
    {
        { "INFO {\"max_payload\":1048576}\r\n", "Info||0||||{\"max_payload\":1048576}" },
        { "info\t{} \r\n", "Info||0||||{}" },
        { "PING\r\n", "Ping||0||||" },
        { "pong \r\n", "Pong||0||||" },
        { "+OK\r\n", "Ok||0||||" },
        { "-ERR 'Stale Connection'\r\n", "Error||0||||Stale Connection" },
        { "-ERR\r\n", "Error||0||||" },
        { "MSG a.b 7 5\r\nhello\r\n", "Message|a.b|7|||hello|" },
        { "MSG a.b 7 0\r\n\r\n", "Message|a.b|7||||" },
        { "MSG a 12 _INBOX.x.1 4\r\n\r\n\r\n\r\n", "Message|a|12|_INBOX.x.1||\r\n\r\n|" },
        { "msg  a\t1   2\r\nhi\r\n", "Message|a|1|||hi|" },
        { "HMSG a 1 12 15\r\nNATS/1.0\r\n\r\nabc\r\n", "MessageWithHeaders|a|1||NATS/1.0\r\n\r\n|abc|" },
        {
            "HMSG a 1 r.x 21 21\r\nNATS/1.0 503 None\r\n\r\n\r\n",
            "MessageWithHeaders|a|1|r.x|NATS/1.0 503 None\r\n\r\n||"
        },
        { "HMSG a 1 17 18\r\nNATS/1.0\r\nA:b\r\n\r\nx\r\n", "MessageWithHeaders|a|1||NATS/1.0\r\nA:b\r\n\r\n|x|" },
    };

    public static TheoryData<string> Malformed =>
    [
        "GET / HTTP/1.1\r\n", "\r\n", "\n", "PING\n", "PINGS\r\n", "PING 1\r\n", "PONG x\r\n", "+OK x\r\n",
        "MSG\r\n", "MSG a\r\n", "MSG a 1\r\n", "MSG a 1 x\r\n", "MSG a 1 -1\r\n", "MSG a 1 1.0\r\nx\r\n",
        "MSG a x 1\r\nx\r\n", "MSG a -1 1\r\nx\r\n", "MSG a 1 r s 1\r\nx\r\n", "MSG a 1 101\r\n",
        "MSG a 1 99999999999999999999\r\n", "MSG a 1 2\r\nabc\r\n", "MSG a 1 1\r\na\n\r",
        "HMSG a 1 12\r\n", "HMSG a 1 5 4\r\nNATS\r\n", "HMSG a 1 r s 12 12\r\nNATS/1.0\r\n\r\n\r\n",
        "HMSG a 1 101 101\r\n",
        "MSG aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 1 1\r\n",
    ];

    private static string Describe(in NatsFrame frame) =>
        $"{frame.Kind}|{Utf8(frame.Subject)}|{frame.SubscriptionId}|{Utf8(frame.ReplyTo)}|"
        + $"{Utf8(frame.Headers.ToArray())}|{Utf8(frame.Payload.ToArray())}|{Utf8(frame.Text)}";

    private static string Utf8(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);

    [Theory]
    [MemberData(nameof(Frames))]
    public void Every_frame_reads_the_same_over_every_split_and_every_pair_of_splits(string wire, string expected)
    {
        var bytes = Encoding.UTF8.GetBytes(wire);
        Assert.InRange(bytes.Length, 1, 64);
        foreach (var sequence in Splits.All(bytes))
        {
            var rest = sequence;
            Assert.True(new NatsFrameReader { Limits = Small }.TryRead(ref rest, out var frame));
            Assert.True(rest.IsEmpty);
            Assert.Equal(expected, Describe(frame));
        }
    }

    [Theory]
    [MemberData(nameof(Frames))]
    public void A_frame_that_is_not_whole_takes_nothing(string wire, string expected)
    {
        var bytes = Encoding.UTF8.GetBytes(wire);
        var reader = new NatsFrameReader { Limits = Small };
        for (var length = 0; length < bytes.Length; length++)
        {
            foreach (var sequence in Splits.All(bytes[..length]))
            {
                var rest = sequence;
                Assert.False(reader.TryRead(ref rest, out _));
                Assert.Equal(length, rest.Length);
            }
        }

        var whole = new ReadOnlySequence<byte>(bytes);
        Assert.True(reader.TryRead(ref whole, out var frame));
        Assert.Equal(expected, Describe(frame));
    }

    [Fact]
    public void Frames_in_a_row_are_read_one_by_one_over_every_split()
    {
        var bytes = "MSG a 1 2\r\nhi\r\nPING\r\nMSG b 2 r 0\r\n\r\n+OK\r\n"u8.ToArray();
        foreach (var sequence in Splits.All(bytes))
        {
            var rest = sequence;
            var reader = new NatsFrameReader();
            var kinds = new List<string>();
            while (reader.TryRead(ref rest, out var frame))
            {
                kinds.Add($"{frame.Kind} {Utf8(frame.Subject)}");
            }

            Assert.Equal(["Message a", "Ping ", "Message b", "Ok "], kinds);
        }
    }

    [Theory]
    [MemberData(nameof(Malformed))]
    public void Malformed_bytes_are_a_protocol_exception_over_every_split(string wire)
    {
        foreach (var sequence in Splits.All(Encoding.UTF8.GetBytes(wire)))
        {
            Assert.Throws<NatsProtocolException>(() =>
            {
                var rest = sequence;
                new NatsFrameReader { Limits = Small }.TryRead(ref rest, out _);
            });
        }
    }

    [Fact]
    public void A_message_beyond_the_limit_is_refused_before_its_payload_came()
    {
        var reader = new NatsFrameReader { Limits = Small };
        Assert.Throws<NatsProtocolException>(() =>
        {
            var rest = new ReadOnlySequence<byte>("MSG a 1 101\r\n"u8.ToArray());
            reader.TryRead(ref rest, out _);
        });
    }

    [Theory]
    [InlineData('M', 64)]
    [InlineData('I', 128)]
    [InlineData('-', 128)]
    [InlineData('x', 64)]
    public void A_line_that_does_not_end_is_refused_at_its_limit(char first, int limit)
    {
        var line = Encoding.ASCII.GetBytes(first + new string('a', limit + 1));
        var reader = new NatsFrameReader { Limits = Small };
        var within = new ReadOnlySequence<byte>(line.AsMemory(0, limit + 1));
        Assert.False(reader.TryRead(ref within, out _));
        Assert.Throws<NatsProtocolException>(() =>
        {
            var beyond = new ReadOnlySequence<byte>(line);
            reader.TryRead(ref beyond, out _);
        });
    }
}
