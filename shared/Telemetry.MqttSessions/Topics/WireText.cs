using System.Text;

namespace Telemetry.MqttSessions.Topics;

/// <summary>What a string must be to travel in a packet. Source: MQTT 5.0, 1.5.4.</summary>
internal static class WireText
{
    private static readonly UTF8Encoding Strict =
        new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>True for at most 65,535 UTF-8 bytes.</summary>
    public static bool Fits(string text) =>
        text.Length <= 21_845 || Encoding.UTF8.GetByteCount(text) <= ushort.MaxValue;

    /// <exception cref="ArgumentException">Too long, U+0000, or half a surrogate pair.</exception>
    public static void Check(string? text, string what)
    {
        if (text is null) return;
        if (!Fits(text) || text.Contains('\0')) throw new ArgumentException($"{what} is too long or contains U+0000",
            what);
        try
        {
            Strict.GetByteCount(text);
        }
        catch (EncoderFallbackException e)
        {
            throw new ArgumentException($"{what} is not valid Unicode", what, e);
        }
    }

    /// <exception cref="ArgumentException">More than 48 pairs, or a text that does not fit.</exception>
    public static void Check(IReadOnlyList<MqttUserProperty>? properties)
    {
        if (properties is null) return;
        if (properties.Count > Packets.PropertyGrammar.UserPropertiesMax)
            throw new ArgumentException("too many user properties", nameof(properties));
        for (int i = 0; i < properties.Count; i++)
        {
            ArgumentNullException.ThrowIfNull(properties[i].Name);
            ArgumentNullException.ThrowIfNull(properties[i].Value);
            Check(properties[i].Name, "user property name");
            Check(properties[i].Value, "user property value");
        }
    }
}
