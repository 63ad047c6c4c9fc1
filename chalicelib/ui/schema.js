/** What the contract says of an order: the fields of each type, and their choices. */
import {call} from "./api.js";
import {attempt} from "./state.js";
import {FAULTS} from "./fault.js";

/** `schemas` of the contract once they are read, or the `problem` of the last try. */
export const contract = {};

export const readContract = () => attempt(contract, async () => {
  contract.schemas = (await call("GET", "/openapi.json")).components.schemas;
});

export const schemaOf = (type) => contract.schemas[`${type[0].toUpperCase()}${type.slice(1)}OrderRequest`];

/** The fields of a schema, in the order of the contract; those of `launch` are `launch.mint` and so on. */
export function fieldsOf({properties}, prefix = "") {
  return Object.entries(properties).flatMap(([key, schema]) => {
    const shapes = shapesOf(schema), about = schema.description, [first] = shapes;
    if (!first || first.const || about.startsWith("Another name")) return [];
    if (first.properties) return fieldsOf(first, `${key}.`);
    return {name: prefix + key, about, choices: key === "simulate" ? Object.keys(FAULTS) : choicesOf(shapes)};
  });
}

/** The choices of a field that has nothing else, without mints: each has a symbol too. */
const choicesOf = (shapes) => shapes.every((shape) => shape.enum)
  && shapes.flatMap((shape) => shape.enum).filter(({length}) => length < 32);

/** What a value may be, but null, which is the same as no value. */
function shapesOf(schema) {
  return (schema.anyOf ?? [schema])
    .flatMap((one) => (one.$ref ? shapesOf(contract.schemas[one.$ref.split("/").pop()]) : one))
    .filter(({type}) => type !== "null");
}
