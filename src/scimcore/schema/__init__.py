"""What a resource is: attributes, schemas, resource types and documents, as values. Nothing here decides or acts."""
