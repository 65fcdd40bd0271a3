namespace Telemetry.TestKit.Tracing;

/// <summary>
/// One span as a collector receives it (OTLP 1.x, trace.proto); ids as hex, times in nanoseconds since 1970.
/// </summary>
public sealed record ReceivedSpan(
    string Service, string Source, string Name, string TraceId, string SpanId, string ParentId, ulong Start, ulong End,
    IReadOnlyDictionary<string, string> Tags)
{
    /// <summary>The spans of an ExportTraceServiceRequest.</summary>
    public static IEnumerable<ReceivedSpan> Read(ReadOnlyMemory<byte> request) =>
        from resourceSpans in ProtobufField.Read(request)
        where resourceSpans.Number == 1
        let resource = Attributes(resourceSpans.Inner.Where(f => f.Number == 1).SelectMany(f => f.Inner), number: 1)
        from scopeSpans in resourceSpans.Inner
        where scopeSpans.Number == 2
        let scope = scopeSpans.Inner.First(f => f.Number == 1).Inner.First(f => f.Number == 1).Text
        from span in scopeSpans.Inner
        where span.Number == 2
        select Of(resource.GetValueOrDefault("service.name", ""), scope, [.. span.Inner]);

    private static ReceivedSpan Of(string service, string source, IReadOnlyList<ProtobufField> fields)
    {
        ProtobufField Field(int number) => fields.FirstOrDefault(f => f.Number == number);
        return new ReceivedSpan(
            service, source, Field(5).Text, Field(1).Hex, Field(2).Hex, Field(4).Hex, Field(7).Value, Field(8).Value,
            Attributes(fields, number: 9));
    }

    /// <summary>Attributes whose values are text or whole numbers; others are left out.</summary>
    private static Dictionary<string, string> Attributes(IEnumerable<ProtobufField> fields, int number) => (
        from attribute in fields
        where attribute.Number == number
        let key = attribute.Inner.First(f => f.Number == 1).Text
        let value = attribute.Inner.First(f => f.Number == 2).Inner.First()
        where value.Number is 1 or 3
        select (key, value)).ToDictionary(a =>
            a.key, a => a.value.Number == 1 ? a.value.Text : $"{(long)a.value.Value}");
}
