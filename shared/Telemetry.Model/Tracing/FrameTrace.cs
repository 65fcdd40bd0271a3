using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.IO.Hashing;
using Telemetry.Model.Identity;
using Telemetry.Model.Wire;

namespace Telemetry.Model.Tracing;

/// <summary>
/// The trace of a frame, derived only from its gateway and key: agent, ingress, processor and relay compute the same
/// one without exchanging it. Both ids follow W3C Trace Context, 3.2.2: 16 and 8 bytes, never all zero.
/// </summary>
/// <param name="TraceId">XxHash128 over gateway, epoch, lane, first, count.</param>
/// <param name="SpanId">XxHash64 over the same bytes: represents the frame itself, the parent of everything that is
/// done with it.</param>
public readonly record struct FrameTrace(UInt128 TraceId, ulong SpanId)
{
    /// <summary>The trace of a frame.</summary>
    public static FrameTrace Of(GatewayId gateway, FrameKey key)
    {
        var writer = new WireWriter();
        writer.Text(gateway.Value);
        writer.UInt64(key.Epoch);
        writer.Byte((byte)key.Lane);
        writer.Varint((ulong)key.First);
        writer.Varint((ulong)key.Count);
        var trace = XxHash128.HashToUInt128(writer.Written);
        var span = XxHash64.HashToUInt64(writer.Written);
        return new FrameTrace(trace == 0 ? 1 : trace, span == 0 ? 1 : span);
    }

    /// <summary>The trace id's 16 bytes, big-endian: as they stand in hex.</summary>
    public void WriteTraceId(Span<byte> bytes) => BinaryPrimitives.WriteUInt128BigEndian(bytes, TraceId);

    /// <summary>The span id's 8 bytes, big-endian.</summary>
    public void WriteSpanId(Span<byte> bytes) => BinaryPrimitives.WriteUInt64BigEndian(bytes, SpanId);

    /// <summary>
    /// The parent of every span of the frame, in every process. No span has its id: it represents the frame itself,
    /// since an <see cref="Activity"/> cannot be given a chosen id.
    /// </summary>
    public ActivityContext Parent
    {
        get
        {
            Span<byte> bytes = stackalloc byte[24];
            WriteTraceId(bytes);
            WriteSpanId(bytes[16..]);
            return new ActivityContext(
                ActivityTraceId.CreateFromBytes(bytes[..16]),
                ActivitySpanId.CreateFromBytes(bytes[16..]),
                ActivityTraceFlags.Recorded,
                isRemote: true);
        }
    }

    /// <summary>As the header <c>traceparent</c>, version 00, sampled (W3C Trace Context, 3.2).</summary>
    public string TraceParent => string.Create(CultureInfo.InvariantCulture, $"00-{TraceId:x32}-{SpanId:x16}-01");
}
