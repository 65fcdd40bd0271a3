using System.Buffers;
using System.Text.Json;

namespace Telemetry.Nats;

/// <summary>
/// Reads the acknowledgement straight from the receive buffer:
/// <c>{"stream":"S","seq":1[,"duplicate":true]}</c> or
/// <c>{"error":{"code":503,"err_code":10077,"description":"…"}}</c>.
/// </summary>
internal static class PublishAckReader
{
    [ThreadStatic]
    private static string? s_lastStream;

    public static PublishAck Read(in ReadOnlySequence<byte> json)
    {
        string? stream = null;
        ulong sequence = 0;
        var duplicate = false;
        try
        {
            var reader = new Utf8JsonReader(json);
            Expect(reader.Read() && reader.TokenType == JsonTokenType.StartObject);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("error"u8))
                {
                    reader.Read();
                    throw ReadError(ref reader);
                }

                if (reader.ValueTextEquals("stream"u8))
                {
                    reader.Read();
                    stream = reader.TokenType == JsonTokenType.String && s_lastStream is { } last
                        && reader.ValueTextEquals(last) ? last : reader.GetString();
                }
                else if (reader.ValueTextEquals("seq"u8))
                {
                    reader.Read();
                    sequence = reader.GetUInt64();
                }
                else if (reader.ValueTextEquals("duplicate"u8))
                {
                    reader.Read();
                    duplicate = reader.GetBoolean();
                }
                else
                {
                    reader.Skip();
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new NatsProtocolException("A publish acknowledgement is malformed", e);
        }

        Expect(stream is not null && sequence > 0);
        s_lastStream = stream;
        return new(stream!, sequence, duplicate);
    }

    private static JetStreamException ReadError(ref Utf8JsonReader reader)
    {
        Expect(reader.TokenType == JsonTokenType.StartObject);
        var (code, errorCode, description) = (0, 0, "");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("code"u8))
            {
                reader.Read();
                code = reader.GetInt32();
            }
            else if (reader.ValueTextEquals("err_code"u8))
            {
                reader.Read();
                errorCode = reader.GetInt32();
            }
            else if (reader.ValueTextEquals("description"u8))
            {
                reader.Read();
                description = reader.GetString() ?? "";
            }
            else
            {
                reader.Skip();
            }
        }

        return new(code, errorCode, description);
    }

    private static void Expect(bool condition)
    {
        if (!condition)
        {
            throw new NatsProtocolException("A publish acknowledgement without stream or sequence");
        }
    }
}
