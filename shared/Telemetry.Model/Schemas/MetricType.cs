namespace Telemetry.Model.Schemas;

/// <summary>The type of a series' values, and how a value becomes 64 bits.</summary>
public enum MetricType : byte
{
    /// <summary>IEEE 754 double; its bits as they are (-0.0 and NaN payloads are kept).</summary>
    Float = 0,

    /// <summary>Signed 64-bit integer, two's complement.</summary>
    Int = 1,

    /// <summary>Unsigned 64-bit integer.</summary>
    UInt = 2,

    /// <summary>0 or 1.</summary>
    Bool = 3,

    /// <summary>
    /// UTF-8 text, at most 4,096 bytes; the value's 64 bits are its place in the batch's text.
    /// </summary>
    Text = 4,
}
