using System.Collections;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Inputs;
using Telemetry.Inputs.Generator;
using Telemetry.Model.Identity;
using Telemetry.Runtime.Settings;

namespace Telemetry.Tests.Inputs;

public sealed class InputCatalogTests
{
    private static readonly InputContext Context =
        new(GatewayId.Parse("gw-1"), null, TimeProvider.System, NullLogger.Instance);

    [Fact]
    public void Every_input_of_the_project_stands_in_the_catalog()
    {
        var written = typeof(IInput).Assembly.GetTypes()
            .Where(type => type.IsClass && type.IsAssignableTo(typeof(IInput)));

        var made = InputCatalog.Kinds.Select(kind =>
        {
            using var input = kind.Read(Reader("{}")).Create(Context);
            Assert.Equal(kind.Section, input.Name);
            Assert.Equal(input.Status is null ? null : kind.Section, input.Status?.Name);
            return input.GetType();
        });

        Assert.Equal(written.OrderBy(type => type.Name), made.OrderBy(type => type.Name));
    }

    [Fact]
    public void An_input_is_there_when_its_section_is() => Assert.All(InputCatalog.Kinds, kind =>
    {
        // Any key of it counts; this one no section has.
        var reader = Reader($$"""{ "{{kind.Section}}": { "none": 1 } }""");

        Assert.Equal(kind.Read(reader).GetType(), Assert.Single(InputCatalog.Read(reader)).GetType());
        Assert.Equal(kind.FitsFleet ? 1 : 0, InputCatalog.ReadForFleet(reader).Count);
    });

    [Fact]
    public void Generators_of_a_fleet_have_different_seeds()
    {
        IInputOptions generator = new GeneratorOptions { Seed = 5 };

        Assert.Equal([1005, 2005], new[] { 1, 2 }.Select(n => ((GeneratorOptions)generator.ForFleetMember(n)).Seed));
    }

    private static SettingsReader Reader(string json) =>
        new(SettingsTree.Parse(json, "TELEMETRY_TEST__", new Hashtable()));
}
