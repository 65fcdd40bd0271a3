using System.Buffers;
using NATS.Client.Core;

namespace Telemetry.Streams.JetStream;

/// <summary>Reads the headers of a message.</summary>
internal static class MessageHeaders
{
    /// <summary>The headers; null when there are none or they are malformed. Never throws.</summary>
    public static NatsHeaders? Read(INatsConnection connection, in ReadOnlySequence<byte>? block)
    {
        if (block is not { } bytes)
        {
            return null;
        }

        try
        {
            var headers = new NatsHeaders();
            return connection.HeaderParser.ParseHeaders(new SequenceReader<byte>(bytes), headers) ? headers : null;
        }
        catch (Exception)
        {
            // Not from one of our processes; no exception may reach the library's receive loop.
            return null;
        }
    }

    /// <summary>The first value of a header, or null.</summary>
    public static string? Find(this NatsHeaders? headers, string name) =>
        headers is not null && headers.TryGetValue(name, out var values) && values.Count > 0 ? values[0] : null;
}
