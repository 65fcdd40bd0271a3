using System.Globalization;
using Telemetry.Model.Schemas;

namespace Telemetry.Inputs.LineProtocol;

/// <summary>
/// Reads a field's value that is not in quotes:
/// <code>
/// float     [-] digits [. digits] [e|E [+|-] digits]      a digit before or behind the point
/// integer   [-] digits i
/// unsigned  digits u
/// bool      t T true True TRUE f F false False FALSE
/// </code>
/// NaN, infinities, hexadecimal and a leading plus are none.
/// </summary>
internal static class FieldValue
{
    // Up to here a mantissa and a power of ten are both exact as doubles, so that one operation rounds once.
    private const ulong ExactMantissaMax = 1UL << 53;

    private static readonly double[] PowersOfTen =
    [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ];

    /// <summary>Reads a value's type and bits. Gives null, or a text that describes the error.</summary>
    public static string? TryRead(ReadOnlySpan<byte> text, out MetricType type, out ulong bits)
    {
        type = MetricType.Float;
        bits = 0;
        if (text.IsEmpty)
        {
            return "missing field value";
        }

        switch (text[^1])
        {
            case (byte)'i':
                type = MetricType.Int;
                return ReadInteger(text[..^1], out bits);
            case (byte)'u':
                type = MetricType.UInt;
                return ReadUnsigned(text[..^1], out bits);
            case >= (byte)'0' and <= (byte)'9' or (byte)'.':
                return ReadFloat(text, out bits);
            default:
                type = MetricType.Bool;
                return ReadBool(text, out bits);
        }
    }

    /// <summary>A decimal integer with an optional minus sign; false when it is not one, or beyond 64 bits.</summary>
    public static bool TryReadInt64(ReadOnlySpan<byte> text, out long value)
    {
        value = 0;
        var negative = !text.IsEmpty && text[0] == '-';
        if (!TryReadDigits(negative ? text[1..] : text, out var magnitude)
            || magnitude > (negative ? 1UL << 63 : long.MaxValue))
        {
            return false;
        }

        value = negative ? unchecked(-(long)magnitude) : (long)magnitude;
        return true;
    }

    private static bool TryReadDigits(ReadOnlySpan<byte> text, out ulong value)
    {
        value = 0;
        if (text.IsEmpty)
        {
            return false;
        }

        foreach (var b in text)
        {
            var digit = (uint)(b - '0');
            if (digit > 9 || value > (ulong.MaxValue - digit) / 10)
            {
                return false;
            }

            value = (value * 10) + digit;
        }

        return true;
    }

    private static string? ReadInteger(ReadOnlySpan<byte> text, out ulong bits)
    {
        var read = TryReadInt64(text, out var value);
        bits = unchecked((ulong)value);
        return read ? null : "invalid integer, or one beyond 64 bits";
    }

    private static string? ReadUnsigned(ReadOnlySpan<byte> text, out ulong bits) =>
        TryReadDigits(text, out bits) ? null : "invalid unsigned integer, or one beyond 64 bits";

    private static string? ReadBool(ReadOnlySpan<byte> text, out ulong bits)
    {
        bits = text[0] is (byte)'t' or (byte)'T' ? 1UL : 0;
        return text.SequenceEqual("t"u8) || text.SequenceEqual("T"u8)
            || text.SequenceEqual("true"u8) || text.SequenceEqual("True"u8) || text.SequenceEqual("TRUE"u8)
            || text.SequenceEqual("f"u8) || text.SequenceEqual("F"u8)
            || text.SequenceEqual("false"u8) || text.SequenceEqual("False"u8) || text.SequenceEqual("FALSE"u8)
                ? null
                : "invalid field value: use a number, a bool or a text in quotes";
    }

    private static string? ReadFloat(ReadOnlySpan<byte> text, out ulong bits)
    {
        bits = 0;
        var at = text[0] == '-' ? 1 : 0;
        var negative = at == 1;
        ulong mantissa = 0;
        int digits = 0, decimals = 0;
        for (var point = false; at < text.Length; at++)
        {
            var digit = (uint)(text[at] - '0');
            if (digit <= 9)
            {
                // Beyond 19 digits it wraps, and the slow way is taken.
                mantissa = (mantissa * 10) + digit;
                digits++;
                decimals += point ? 1 : 0;
            }
            else if (text[at] == '.' && !point)
            {
                point = true;
            }
            else
            {
                break;
            }
        }

        if (digits == 0 || (at < text.Length && !IsExponent(text[at..])))
        {
            return "invalid number";
        }

        double value;
        if (at == text.Length && digits <= 19 && mantissa <= ExactMantissaMax && decimals < PowersOfTen.Length)
        {
            value = mantissa / PowersOfTen[decimals];
            value = negative ? -value : value;
        }
        else if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value)
            || !double.IsFinite(value))
        {
            return "a number beyond the range of a float";
        }

        bits = BitConverter.DoubleToUInt64Bits(value);
        return null;
    }

    private static bool IsExponent(ReadOnlySpan<byte> text)
    {
        if (text[0] is not ((byte)'e' or (byte)'E'))
        {
            return false;
        }

        text = text.Length > 1 && (text[1] is (byte)'+' or (byte)'-') ? text[2..] : text[1..];
        return !text.IsEmpty && text.IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0;
    }
}
